package main

import "github.com/libresnext/libresnext/resnext"

// answer is a kind of numbers that a session gives.
type answer struct {
	words string // what they are, in errors
	each  func(m *resnext.Model) int
	infer func(s *resnext.Session, rgb []byte) ([]float32, error)
	batch func(s *resnext.Session, images [][]byte, into []float32) error
	// classes says that they need some.
	classes bool
}

// answers are numbered as in sessions.c.
var answers = [...]answer{
	{
		words: "one logit a class", classes: true, each: func(m *resnext.Model) int { return m.Config().Classes },
		infer: (*resnext.Session).Infer, batch: (*resnext.Session).InferBatch,
	},
	{
		words: "one number a feature", each: (*resnext.Model).Features,
		infer: (*resnext.Session).Embed, batch: (*resnext.Session).EmbedBatch,
	},
}

const (
	logitsAnswer = iota
	featuresAnswer
)

// maxCount bounds arrays of numbers and of pictures, far above any network, so that no size overflows.
const maxCount = 1 << 28

// checkCount reports a wrong number of answers for n pictures.
func (s *session) checkCount(a *answer, n, count uint64) error {
	if a.classes {
		if err := s.checkClasses(); err != nil {
			return err
		}
	}
	if n < 1 || n > maxCount {
		return fail(statusInvalid, "n is %d, expected 1 to %d", n, maxCount)
	}
	if count > maxCount {
		return fail(statusInvalid, "count is %d, expected at most %d", count, maxCount)
	}
	switch want := n * uint64(a.each(s.of.net)); {
	case count == want:
	case n == 1:
		return fail(statusInvalid, "count is %d, expected %d: %s", count, want, a.words)
	default:
		return fail(statusInvalid, "count is %d, expected %d: %s of %d pictures", count, want, a.words, n)
	}
	return nil
}

// checkClasses reports a model that has none.
func (s *session) checkClasses() error {
	if s.of.net.Config().Head == resnext.Embedding {
		return fail(statusInvalid, "the model has no classes, and so no logits: use resnext_embed")
	}
	return nil
}
