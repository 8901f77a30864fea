package main

import (
	"errors"
	"fmt"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// heads are the values of --head.
var heads = map[string]topology.Head{"classes": resnext.OneClass, "multilabel": resnext.MultiLabel, "embedding": resnext.Embedding}

func (s *settings) readHead() error {
	if _, ok := heads[s.head]; !ok && s.head != "" {
		return cli.Usage("--head is %q, expected classes, multilabel or embedding", s.head)
	}
	return nil
}

// setHead gives the network the head of --head; "" leaves it as it is.
func (n *floatNetwork) setHead(name string) error {
	cfg := &n.Config
	switch {
	case name == "" || heads[name] == cfg.Head:
		return nil
	case cfg.Head == resnext.Embedding:
		return fmt.Errorf("--head %s: %s has no classifier: leave --head out, or give weights that have one", name, n.source)
	}
	cfg.Head = heads[name]
	if cfg.Head == resnext.Embedding {
		cfg.Classes, n.Classifier = 0, float.Conv{}
	}
	return nil
}

// checkHead refuses what compares classes where none is right, or none is there.
func (p *plan) checkHead() error {
	s, head := p.settings, p.net.Config.Head
	if head == resnext.OneClass {
		return nil
	}
	what := "a multi-label network has no one right class"
	if head == resnext.Embedding {
		what = "a network without a classifier has no classes"
	}
	for _, f := range []struct{ flag, value string }{{"eval", s.eval}, {"report", s.report}} {
		if f.value != "" {
			return cli.Usage("--%s compares classes, and %s: leave it out", f.flag, what)
		}
	}
	if head != resnext.Embedding {
		return nil
	}
	if s.options.labels != "" {
		return cli.Usage("--labels names classes, and %s: leave it out", what)
	}
	if s.exportONNX != "" {
		return errors.New("--export-onnx cannot say a network without a classifier: leave it out")
	}
	return nil
}

// headText says what a network answers with.
func headText(cfg resnext.Config) string {
	switch cfg.Head {
	case resnext.MultiLabel:
		return cli.Plural(cfg.Classes, "label") + ", any of which may be right"
	case resnext.Embedding:
		return fmt.Sprintf("a vector of %s, no classes", cli.Plural(cfg.Features(), "number"))
	}
	return cli.Plural(cfg.Classes, "class")
}
