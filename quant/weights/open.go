package weights

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/quant/onnx"
	"github.com/libresnext/libresnext/quant/torch7"
)

// Source tells where a network came from, and what stands beside its weights.
type Source struct {
	// Path is the file or folder of the weights: the path that was given, or a file in that folder.
	Path string
	// Format names the kind of file, Dialect whose names the tensors have or what else is known of it; in
	// words.
	Format, Dialect string
	// Wrapper is where in the file the tensors were, see checkpoint.Checkpoint.
	Wrapper string
	// Graph reports whether the file says how operators are joined, and so where strides and poolings are.
	Graph bool
	// Named reports whether a hub's file beside the weights names the architecture that they are.
	Named bool
	// Sized reports whether the file itself fixes the size of the images.
	Sized bool
	// Normalisation is what the file itself says that images need; nil where it says nothing.
	Normalisation *match.Normalisation
	// Notes say what of the file was taken, left out or understood as something else; for people.
	Notes []string
	// Hub is what a model hub's files beside the weights say; not nil.
	Hub *hub.Info
	// Files lists the files that were read, and where a hub's files would be.
	Files []string
	// Warnings say what stands beside the weights and is not used.
	Warnings []string
}

// Open reads the float network at path: a checkpoint, whose tensors have names, or a graph of operators. The
// format is told by content. arch is that of FromCheckpoint. Errors begin with the path.
func Open(path, arch string) (*float.Net, *Source, error) {
	f, err := checkpoint.Locate(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	s := &Source{Path: f.Path, Format: f.Format, Hub: &hub.Info{}}
	var n *float.Net
	switch f.Format {
	case checkpoint.FormatONNX:
		n, err = s.readONNX(f, arch)
	case checkpoint.FormatTorch7:
		n, err = s.readTorch7(f, arch)
	default:
		n, err = s.readCheckpoint(f, arch)
	}
	if err != nil {
		return nil, nil, err
	}
	s.Files = append(s.Files, hub.Files(s.Path)...)
	s.Warnings = append(s.Warnings, s.Hub.Notes...)
	return n, s, nil
}

// readBeside reads a hub's files beside the weights. What is wrong with them is a warning, and the error too: elsewhere
// than beside a hub's weights a file of that name may be anybody's.
func (s *Source) readBeside(path string) error {
	beside, err := hub.Beside(path)
	if err != nil {
		s.Warnings = append(s.Warnings, err.Error()+"; nothing is taken from the JSON files beside the weights")
		return err
	}
	s.Hub = beside
	return nil
}

func (s *Source) readONNX(file *checkpoint.File, arch string) (*float.Net, error) {
	f, err := onnx.Read(file, file.Size(), file.Path)
	if err != nil {
		return nil, err
	}
	_ = s.readBeside(s.Path) // no error of a network whose graph says all
	s.Files, s.Sized = f.Files, f.Sized
	s.Dialect = fmt.Sprintf("opset %d", f.Opset)
	if f.Producer != "" {
		s.Dialect += fmt.Sprintf(", written by %.40s", f.Producer)
	}
	return s.fromGraph(f.Network, arch)
}

func (s *Source) readTorch7(f *checkpoint.File, arch string) (*float.Net, error) {
	network, err := torch7.Read(f, f.Size(), f.Path)
	if err != nil {
		return nil, err
	}
	s.Files, s.Dialect = []string{s.Path}, "nn.Sequential"
	return s.fromGraph(network, arch)
}

func (s *Source) fromGraph(g *match.Network, arch string) (*float.Net, error) {
	s.Graph, s.Notes, s.Normalisation = true, g.Notes, g.Normalisation
	n, err := FromGraph(g, arch)
	if err != nil {
		return nil, errorAt(s.Path, err)
	}
	return n, nil
}

func (s *Source) readCheckpoint(f *checkpoint.File, arch string) (*float.Net, error) {
	c, err := checkpoint.Read(f)
	if err != nil {
		return nil, err
	}
	s.Files = c.Files
	besideErr := s.readBeside(c.Path)
	n, d, err := fromCheckpoint(c, arch, s.Hub)
	if err != nil {
		return nil, err
	}
	s.Dialect, s.Wrapper = d.title+" names", c.Wrapper
	s.Named = n.Config.Name != "" && n.Config.Name == s.Hub.Architecture
	if d.model != "" && besideErr != nil {
		return nil, besideErr
	}
	if d.model != "" && (s.Hub.Form == nil || s.Hub.Form.Model != d.model) {
		s.Dialect += ", no config.json beside them: strides are taken to be where they usually are"
	}
	return n, nil
}
