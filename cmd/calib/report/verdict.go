package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
)

// verdict is the answer to "is it good?".
type verdict struct {
	Grade   string // the class of the mark
	Mark    string // one word
	Summary string
	Notes   []string
}

// The bounds of the grades, as shares.
const (
	goodAgreement, fairAgreement = 0.98, 0.95
	goodLoss, fairLoss           = 0.005, 0.02
)

func newVerdict(d *Data) verdict {
	v := verdict{Summary: summary(d.Summary)}
	v.Grade, v.Mark = grade(d)
	s := d.Summary
	if d.Network.Random {
		v.Notes = append(v.Notes, "The weights are random: sizes and speeds are real, accuracy and agreement mean nothing.")
		return v
	}
	if s.Labelled == 0 {
		v.Notes = append(v.Notes, "No labelled images were compared, so accuracy is not known; --eval DIR measures it.")
	}
	if text := significance(d.Answers, s.Labelled); text != "" {
		v.Notes = append(v.Notes, text)
	}
	if text := closeCalls(d.Answers); text != "" {
		v.Notes = append(v.Notes, text)
	}
	if s.Skipped > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%s could not be read and %s skipped.", cli.Plural(s.Skipped, "image"), wasWere(s.Skipped)))
	}
	if n := d.Choices.Images; n > 0 && n < FewImages {
		v.Notes = append(v.Notes, fmt.Sprintf("Only %s calibrated the ranges; a few hundred are good.", cli.Plural(n, "image")))
	}
	return v
}

// FewImages is how many calibration images are too few to trust.
const FewImages = 32

// grade judges agreement and, where it is known, the loss of accuracy.
func grade(d *Data) (class, mark string) {
	s := d.Summary
	switch {
	case d.Network.Random:
		return "none", "speed only"
	case s.Agreement == nil:
		return "none", "not compared"
	}
	lost := 0.0
	if loss := s.accuracyLoss(); loss != nil {
		lost = *loss
	}
	switch {
	case *s.Agreement >= goodAgreement && lost <= goodLoss:
		return "good", "good"
	case *s.Agreement >= fairAgreement && lost <= fairLoss:
		return "fair", "fair"
	}
	return "poor", "weak"
}

// accuracyLoss is the share of images that int8 loses, negative if it gains.
func (s Summary) accuracyLoss() *float64 {
	if s.Float.Top1 == nil || s.Int8.Top1 == nil {
		return nil
	}
	d := *s.Float.Top1 - *s.Int8.Top1
	return &d
}

// summary is the result in one sentence.
func summary(s Summary) string {
	var parts []string
	if s.Agreement != nil {
		parts = append(parts, fmt.Sprintf("int8 answers as the float network on %s of %s", cli.Percent(*s.Agreement), cli.Plural(s.Images, "image")))
	} else {
		parts = append(parts, "int8 was not compared with the float network")
	}
	if loss := s.accuracyLoss(); loss != nil {
		switch points := math.Round(*loss*1e4) / 100; {
		case points > 0:
			parts = append(parts, fmt.Sprintf("%.2f points less accurate", points))
		case points < 0:
			parts = append(parts, fmt.Sprintf("%.2f points more accurate", -points))
		default:
			parts = append(parts, "just as accurate")
		}
	}
	if s.Float.Bytes > 0 && s.Int8.Bytes > 0 {
		parts = append(parts, cli.Times(float64(s.Float.Bytes), float64(s.Int8.Bytes), "smaller", "larger"))
	}
	return strings.Join(parts, ", ") + "."
}

// significance says whether images lost and won differ by more than chance; empty if there is nothing to say.
func significance(a *Answers, labelled int) string {
	if a == nil || labelled == 0 || a.Changed == 0 {
		return ""
	}
	text := fmt.Sprintf("int8 loses %s that float gets right and wins %d", cli.Plural(a.Lost, "image"), a.Won)
	if a.Lost == a.Won {
		return text + "."
	}
	if p := signTest(a.Lost, a.Won); p > 0.05 {
		return text + fmt.Sprintf("; a difference this small can be chance (sign test, p = %.2g).", p)
	}
	return text + ", which is more than chance."
}

// signTest returns the two-sided p-value: the probability that a split at least as uneven as a to b is chance.
func signTest(a, b int) float64 {
	n, tail := float64(a+b), 0.0
	for k := 0; k <= min(a, b); k++ {
		tail += math.Exp(logFactorial(n) - logFactorial(float64(k)) - logFactorial(n-float64(k)) - n*math.Ln2)
	}
	return min(1, 2*tail)
}

func logFactorial(n float64) float64 {
	v, _ := math.Lgamma(n + 1)
	return v
}

// closeCalls says how sure the float network was where the answer changed.
func closeCalls(a *Answers) string {
	if a == nil || a.Changed == 0 {
		return ""
	}
	return fmt.Sprintf("In %d of %s the float network's own lead was under %.0f points.",
		a.CloseCalls, cli.Plural(a.Changed, "changed answer"), 100*CloseMargin)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
