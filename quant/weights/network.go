package weights

import (
	"errors"
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Options are what the caller knows of a file's network.
type Options struct {
	// Arch is the name of an architecture, which makes anything else an error that says in what they differ, and says what
	// names and shapes do not show: which pooling and which convolution halves a map. "auto" or "" takes what is found.
	Arch string
	// Key says which of several networks in a file is meant: some of the keys and modules around its tensors, with dots
	// between them.
	Key string
	// Embedding leaves out the classifier of a state dict, whatever it is.
	Embedding bool
}

// FromCheckpoint builds the network that a state dict holds, whatever stands before the names of its tensors. Its
// configuration is inferred from names and shapes, and from o. The input size is the architecture's usual one, 224x224
// pixels or, with the stem for small images, 32x32; see SetInputSize.
//
// Batch normalisation (epsilon 1e-5) is folded into the convolutions. A convolution that has a bias and
// no normalisation at all is taken as folded already. Every tensor of the model must fit: all that are missing,
// misshapen, not finite or not part of the network are named in one error. What is outside of the model, or in it for
// training alone, is passed over.
func FromCheckpoint(c *checkpoint.Checkpoint, o Options) (*float.Net, error) {
	f, err := fromStateDicts([]*checkpoint.Checkpoint{c}, o, &hub.Info{})
	if err != nil {
		return nil, errorAt(c.Path, err)
	}
	return f.net, nil
}

// found is a network that was read from state dicts, and what there is to say of it.
type found struct {
	*candidate
	net           *float.Net
	normalisation *match.Normalisation
	gray          bool
	// guessed reports whether strides and poolings are where they usually are, and nobody says so.
	guessed bool
	notes   []string
}

// fromStateDicts finds the network among the state dicts of a file and reads it. beside is what a hub says of it.
func fromStateDicts(all []*checkpoint.Checkpoint, o Options, beside *hub.Info) (*found, error) {
	chosen, notes, err := choose(all, o)
	if err != nil {
		return nil, err
	}
	n, err := chosen.inspect(o)
	if err != nil {
		return nil, err
	}
	if err := n.settle(o.Arch, beside); err != nil {
		return nil, err
	}
	images := findNormalisation(chosen.c)
	if err := n.load(images); err != nil {
		return nil, err
	}
	f := &found{candidate: chosen, gray: n.gray, guessed: n.guessed}
	if f.normalisation, err = images.read(); err != nil {
		return nil, err
	}
	r := reader{view: n.view, modules: n.modules(), problems: n.problems, used: make(map[string]bool)}
	f.net = r.net(n.cfg)
	used := n.view.filesOf(r.used)
	for _, name := range images.names {
		used[name] = true
	}
	wrong, aside := chosen.leftOver(used, n.head.root, o.Embedding)
	for _, name := range wrong {
		n.problems.add("%s: not part of the network that the other tensors form (shape %v)", name, chosen.c.Tensors[name].Shape)
	}
	if len(n.problems.lines) > 0 {
		return nil, n.problems.err(fmt.Sprintf("not a complete and sound network of this family (%s names)", chosen.d.title))
	}
	f.notes = append(notes, n.notes...)
	if text := asideText(chosen, aside, all); text != "" {
		f.notes = append(f.notes, text)
	}
	return f, nil
}

// network is a candidate as far as names and shapes tell.
type network struct {
	*candidate
	view     *view
	cfg      resnext.Config
	where    []place
	head     head
	gray     bool // whether the stem takes gray images
	guessed  bool // see found; not in a RegNet
	problems *problems
	notes    []string
}

var errForm = errors.New("the network's form cannot be read from the tensors")

// inspect finds the form of a network and its classifier.
func (x *candidate) inspect(o Options) (*network, error) {
	if err := x.strange(); err != nil {
		return nil, err
	}
	n := &network{candidate: x, problems: &problems{}, head: head{root: x.prefix}}
	if n.gather(); n.gray {
		n.notes = append(n.notes, "the stem takes gray images: it runs on colours, of which Pillow's gray is a sum")
	}
	f := newInference(n.view, x.d, n.problems)
	n.guessed = !f.regNet
	ok := false
	if n.cfg, n.where, ok = f.network(); !ok {
		return nil, n.problems.err(errForm.Error())
	}
	if o.Embedding {
		return n, nil
	}
	var err error
	if n.head, err = x.findHead(n.cfg.Features()); err != nil {
		return nil, err
	}
	if n.head.module == "" {
		n.notes = append(n.notes, "there is no classifier: an embedding network, whose answer is its features")
		return n, nil
	}
	n.gather()
	if err := n.addClassifier(); err != nil {
		n.problems.add("%v", err)
		return nil, n.problems.err(errForm.Error())
	}
	return n, nil
}

// gather collects the network's tensors, with their numbers where these have been read.
func (n *network) gather() {
	n.view = n.candidate.view()
	if n.head.module != "" {
		n.view.classifier(n.classifier(), n.c, n.head.module)
	}
	n.gray = n.view.colour(n.d.stem(n.view.has)[0].conv)
}

// classifier is the classifier's name among the network's: its own, or another where a layer of the network has that.
func (n *network) classifier() string {
	name := strings.TrimPrefix(n.head.module, n.prefix)
	if n.isBody(n.prefix + name + ".weight") {
		return "head " + name
	}
	return name
}

// addClassifier gives the configuration the classes.
func (n *network) addClassifier() error {
	weight := n.view.tensors[n.classifier()+".weight"]
	if weight == nil || len(weight.Shape) != 2 {
		return fmt.Errorf("%s.weight: missing; the number of classes is read from its shape", n.head.module)
	}
	n.cfg.Head, n.cfg.Classes = topology.OneClass, weight.Shape[0]
	if n.cfg.Classes == 1 {
		n.cfg.Head = topology.MultiLabel
		n.notes = append(n.notes, "one output: a yes or no by a sigmoid, as networks of several labels have (multilabel)")
	}
	if err := float.CheckSize(n.cfg); err != nil {
		return err
	}
	n.cfg.Name = n.cfg.CanonicalName()
	return nil
}

// settle takes what names and shapes do not show from the architecture that the caller or a hub names.
func (n *network) settle(arch string, beside *hub.Info) error {
	form := beside.Form
	told := form != nil && form.Model == n.d.model
	if told {
		n.guessed = false
		if err := applyForm(&n.cfg, form); err != nil {
			return err
		}
	}
	switch arch {
	case "", "auto":
		if !told && adoptArchitecture(&n.cfg, beside.Architecture, n.d) {
			n.guessed = false
		}
	default:
		named, err := resnext.Named(arch)
		if err != nil {
			return err
		}
		if !told {
			adopt(&n.cfg, named, n.d.showsAverage())
		}
		if err := agree(arch, named, n.cfg); err != nil {
			return err
		}
		n.cfg.Name, n.guessed = named.Name, false
	}
	return nil
}

// applyForm gives a network the strides that a hub says it has, and refuses what names and shapes do not show.
func applyForm(cfg *resnext.Config, form *hub.Form) error {
	if form.Activation != "" && form.Activation != "relu" {
		return fmt.Errorf("config.json beside it has the activation %q; only networks with relu run here", form.Activation)
	}
	cfg.Stages[0].Stride = 1
	if form.FirstStage {
		cfg.Stages[0].Stride = 2
	}
	for i := range cfg.Stages {
		if s := &cfg.Stages[i]; form.InBottleneck && s.Kind == resnext.Bottleneck {
			s.StrideOn = topology.Reduce
		}
	}
	cfg.Name = cfg.CanonicalName()
	return nil
}

// modules gives the names of every layer of the network.
func (n *network) modules() map[string]names {
	all := n.d.modules(n.view.has, n.cfg, n.where)
	all[resnext.ClassifierName] = names{conv: n.classifier()}
	return all
}

// complete reports whether the weights of every layer but the classifier are there.
func (n *network) complete() bool {
	modules := n.modules()
	for _, s := range topology.Lower(n.cfg).Steps {
		for _, l := range s.Layers() {
			if !isPadding(n.cfg, s) && l.Name != resnext.ClassifierName && !n.view.has(modules[l.Name].conv+".weight") {
				return false
			}
		}
	}
	return true
}

// load reads the numbers of the tensors that the network may want.
func (n *network) load(images buffers) error {
	err := n.c.Load(func(name string) bool {
		return n.isBody(name) || n.head.module != "" && strings.HasPrefix(name, n.head.module+".") || images.has(name)
	})
	if err != nil {
		return err
	}
	n.gather()
	return nil
}
