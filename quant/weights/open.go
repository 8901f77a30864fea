package weights

import (
	"errors"
	"fmt"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/evidence"
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
	// Wrapper is where in the file the network was: keys and modules around it, with dots between them; empty for nowhere.
	Wrapper string
	// Graph reports whether the file says how operators are joined, and so where strides and poolings are.
	Graph bool
	// Named reports whether a hub's file beside the weights names the architecture that they are.
	Named bool
	// Gray reports whether the network takes gray images. It was made one that takes colours and does the same, as long as
	// the mean and the standard deviation of images are alike for red, green and blue.
	Gray bool
	// Open says what the file does not tell of its network, and nobody else; see evidence.Questions.
	Open evidence.Open
	// Sized reports whether the file itself fixes the size of the images.
	Sized bool
	// Normalisation is what the file itself says that images need; nil where it says nothing.
	Normalisation *match.Normalisation
	// Labels are the names of the classes, if the file itself has them.
	Labels []string
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
// format is told by content. Errors begin with the path.
func Open(path string, o Options) (*float.Net, *Source, error) {
	f, err := checkpoint.Locate(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	s := &Source{Path: f.Path, Format: f.Format, Hub: &hub.Info{}}
	var n *float.Net
	switch f.Format {
	case checkpoint.FormatONNX:
		n, err = s.readONNX(f, o)
	case checkpoint.FormatTorch7:
		n, err = s.readTorch7(f, o)
	default:
		n, err = s.readCheckpoint(f, o)
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

func (s *Source) readONNX(file *checkpoint.File, o Options) (*float.Net, error) {
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
	return s.fromGraph(f.Network, o)
}

func (s *Source) readTorch7(f *checkpoint.File, o Options) (*float.Net, error) {
	network, err := torch7.Read(f, f.Size(), f.Path)
	if err != nil {
		return nil, err
	}
	s.Files, s.Dialect = []string{s.Path}, "nn.Sequential"
	return s.fromGraph(network, o)
}

func (s *Source) fromGraph(g *match.Network, o Options) (*float.Net, error) {
	if o.Key != "" {
		return nil, errorAt(s.Path, errors.New("is a graph, which holds one network: leave --key out"))
	}
	s.Graph, s.Notes, s.Normalisation = true, g.Notes, g.Normalisation
	s.Open.Channels = true
	n, err := FromGraph(g, o.Arch)
	if err != nil {
		return nil, errorAt(s.Path, err)
	}
	return n, nil
}

func (s *Source) readCheckpoint(f *checkpoint.File, o Options) (*float.Net, error) {
	all, err := checkpoint.Read(f)
	if err != nil {
		return nil, err
	}
	s.Files, s.Format = all[0].Files, all[0].Format
	besideErr := s.readBeside(s.Path)
	n, err := fromStateDicts(all, o, s.Hub)
	if err != nil {
		return nil, errorAt(s.Path, err)
	}
	s.Dialect, s.Wrapper, s.Labels = n.d.title+" names", n.path(), all[0].Labels
	s.Notes, s.Normalisation, s.Gray = n.notes, n.normalisation, n.gray
	s.Open = evidence.Open{Channels: !n.gray, Strides: n.guessed, Stem: n.guessed, Padding: true}
	s.Named = n.net.Config.Name != "" && n.net.Config.Name == s.Hub.Architecture
	if n.d.model != "" && besideErr != nil {
		return nil, besideErr
	}
	if n.d.model != "" && (s.Hub.Form == nil || s.Hub.Form.Model != n.d.model) {
		s.Dialect += ", no config.json beside them: strides are taken to be where they usually are"
	}
	return n.net, nil
}
