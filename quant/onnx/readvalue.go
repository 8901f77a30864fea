package onnx

// readValue is a ValueInfoProto; dims has 0 for what the file leaves open, and is nil if it gives no shape.
type readValue struct {
	name string
	elem dataType
	dims []int64
}

func (m *readModel) value(s span) (v readValue, err error) {
	err = m.wire.fields(s, func(f field) (err error) {
		switch f.number {
		case valueName:
			v.name, err = m.wire.text(f.span)
		case valueType:
			return m.valueType(&v, f.span)
		}
		return err
	})
	return v, err
}

// valueType reads a TypeProto; one that is no tensor leaves v as it is.
func (m *readModel) valueType(v *readValue, s span) error {
	return m.wire.fields(s, func(f field) error {
		if f.number != typeTensor {
			return nil
		}
		return m.wire.fields(f.span, func(f field) error {
			switch f.number {
			case tensorElem:
				v.elem = dataType(f.value)
			case tensorShape:
				v.dims = []int64{}
				return m.wire.fields(f.span, func(f field) error {
					if f.number != shapeDim || len(v.dims) > maxRank {
						return nil
					}
					size := int64(0)
					err := m.wire.fields(f.span, func(f field) error {
						if f.number == dimensionSize {
							size = int64(f.value)
						}
						return nil
					})
					v.dims = append(v.dims, size)
					return err
				})
			}
			return nil
		})
	})
}
