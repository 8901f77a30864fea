package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/progress"
	"github.com/libresnext/libresnext/quant/evidence"
)

// asked is how many calibration images a network is asked with about its own reading, and askedLarge how many of a network
// of more than largeMACs: large images have many pixels to go by, and take their time.
const (
	asked      = 16
	askedLarge = 8
	largeMACs  = 1_000_000_000
)

// findings is what the network said of its reading and preparation, also as part of the object of --json.
type findings struct {
	Images      int                   `json:"images"`
	Fit         *evidence.Fit         `json:"fit"`
	Told        bool                  `json:"told"`
	Preparation *evidence.Preparation `json:"preparation"`
	Verdicts    []evidence.Verdict    `json:"verdicts"`
}

// ask asks the network about its reading and its preparation, where it keeps statistics of its training, and reads it as
// the images say.
func (w *work) ask() error {
	p := w.plan
	if p.net.from == nil || !evidence.Any(p.net.Net) {
		return nil
	}
	few := subsample{p.calibration, asked}
	if p.net.Config.MACs() > largeMACs {
		few.n = askedLarge
	}
	images := evidence.Images{N: few.len(), Load: func(i int) ([]byte, error) {
		rgb, _, err := few.load(i)
		return rgb, err
	}}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // each reading has maps of its own
	f, err := do(w, askingPhase, evidence.Tries(p.net.Net, p.net.from.Open), func(ph *progress.Phase) (*findings, error) {
		preparation, err := evidence.Prepare(p.net.Net, images, p.preprocess)
		if err != nil {
			return nil, err
		}
		r, err := evidence.Read(w.ctx, p.net.Net, p.net.from.Open, images, p.preprocess, w.settings.threads, ph.Step)
		if err != nil {
			return nil, err
		}
		p.net.Net = r.Net
		return &findings{images.N, r.Fit, r.Told, preparation, r.Verdicts}, nil
	})
	w.findings = f
	return err
}

// rows say what was found: the fit, and each question with its answer.
func (f *findings) rows() [][2]string {
	like := "as in training"
	if !f.Told {
		like = "not quite as in training"
	}
	rows := [][2]string{{"statistics", fmt.Sprintf("%s of %s: %s, %.4f nats apart",
		cli.Plural(len(f.Fit.Layers), "batch normalisation"), cli.Plural(f.Images, "image"), like, f.Fit.Divergence)}}
	for i := range f.Verdicts {
		v := &f.Verdicts[i]
		rows = append(rows, [2]string{v.Question, fmt.Sprintf("%s (%s)", v.Taken, f.margin(v))})
	}
	return rows
}

// print says what was found, below the plan.
func (f *findings) print(w io.Writer) {
	t := cli.Table{}
	for i, r := range f.rows() {
		if i == 0 {
			t.Row("evidence", r[1])
		} else {
			t.Row("", r[0]+": "+r[1])
		}
	}
	t.Print(w)
	fmt.Fprintln(w)
}

// margin says how the answer that was taken stands beside the next.
func (f *findings) margin(v *evidence.Verdict) string {
	switch {
	case !f.Told:
		return "the usual; these images do not tell"
	case v.Margin < 0:
		return fmt.Sprintf("the usual, though %q fits better, by %.0f%%", v.Other, -100*v.Margin)
	case v.Margin > 2:
		return fmt.Sprintf("%q is %.0f times as far from training", v.Other, 1+v.Margin)
	}
	return fmt.Sprintf("%q is %.0f%% farther from training", v.Other, 100*v.Margin)
}

// warnings are what the user should know before anything else.
func (f *findings) warnings() []string {
	var all []string
	if p := f.Preparation; p != nil && p.Doubtful {
		text := fmt.Sprintf("the images are probably not prepared as in training: the first layer's outputs vary %s as much as they did (variance)", factor(p.Layer.Variance))
		if p.Fits != "" {
			text += fmt.Sprintf("; %s would fit (%s)", p.Fits, p.Options)
		} else {
			text += "; give --mean and --std, and images as in training"
		}
		return append(all, text)
	}
	if f.Fit.Divergence > evidence.Alike {
		all = append(all, fmt.Sprintf("what the layers give differs much from training (%.2f nats): these images, or their resize, are not like those of training, or the network is read wrongly; calibrate with images like those that it will see",
			f.Fit.Divergence))
	}
	for i := range f.Verdicts {
		switch v := &f.Verdicts[i]; {
		case !v.Usual:
			all = append(all, fmt.Sprintf("%s: taken is %q, which is unusual, because the network's statistics say so (%s); %s settles it, %s is the other",
				v.Question, v.Taken, f.margin(v), v.Option, v.OtherOption))
		case f.Told && v.Doubted():
			all = append(all, fmt.Sprintf("%s: taken is %q, the usual, but %q fits the network's statistics better, by %.0f%%; %s or %s settles it",
				v.Question, v.Taken, v.Other, -100*v.Margin, v.Option, v.OtherOption))
		}
	}
	return all
}

// factor is a power of two for people: "1/16", "8 times".
func factor(log2 float64) string {
	n := 1.0
	for range int(min(max(log2, -log2)+0.5, 60)) {
		n *= 2
	}
	if log2 < 0 {
		return fmt.Sprintf("1/%.0f", n)
	}
	return fmt.Sprintf("%.0f times", n)
}

// sayFindings prints what was found, and warns.
func (w *work) sayFindings(out, stderr io.Writer) {
	if w.findings == nil {
		return
	}
	w.findings.print(out)
	for _, text := range w.findings.warnings() {
		cli.Warn(stderr, tool, "%s", text)
	}
}
