package observe

import (
	"encoding/json"
	"fmt"
	"math"
)

// Decibel is a ratio of powers in dB. It may be infinite, which JSON numbers cannot be: it is then
// the string "inf" or "-inf".
type Decibel float64

// MarshalJSON implements json.Marshaler.
func (d Decibel) MarshalJSON() ([]byte, error) {
	switch {
	case math.IsInf(float64(d), 1):
		return []byte(`"inf"`), nil
	case math.IsInf(float64(d), -1):
		return []byte(`"-inf"`), nil
	}
	return json.Marshal(float64(d))
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Decibel) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"inf"`:
		*d = Decibel(math.Inf(1))
		return nil
	case `"-inf"`:
		*d = Decibel(math.Inf(-1))
		return nil
	}
	var v float64
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("decibels are %s, expected a number, \"inf\" or \"-inf\"", data)
	}
	*d = Decibel(v)
	return nil
}

// String returns one decimal, such as "38.9 dB".
func (d Decibel) String() string { return fmt.Sprintf("%.1f dB", float64(d)) }

// Power adds up the power of a signal and that of the error in it. The zero value is empty.
type Power struct{ Signal, Noise float64 }

// Add takes in one map: want is the signal, got what became of it.
func (p *Power) Add(want, got []float32) {
	for i, w := range want {
		d := float64(w) - float64(got[i])
		p.Signal += float64(w) * float64(w)
		p.Noise += d * d
	}
}

// Merge adds what o added up.
func (p *Power) Merge(o Power) {
	p.Signal += o.Signal
	p.Noise += o.Noise
}

// SQNR is the signal to quantisation noise ratio: infinite if nothing was lost.
func (p Power) SQNR() Decibel {
	if p.Noise == 0 {
		return Decibel(math.Inf(1))
	}
	return Decibel(10 * math.Log10(p.Signal/p.Noise))
}
