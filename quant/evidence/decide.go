package evidence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// The figures by which questions are decided. Networks read as they were trained were 0.0003 to 0.004 nats from their
// training on images of the same kind, and up to 0.08 on noisy ones and such that stood on their heads; the nearest wrong
// reading was 3 to 200 times as far in the first case and 1.2 to 10 times in the second. TestRates has the networks.
const (
	// convincing is how near the best answer to a question must be, beside the usual one, to be taken.
	convincing = 0.5
	// alike is how far images may be from those of training by a reading that they are to tell, over all layers, and
	// alikeAtFirst in the first, where no reading but the channel order makes a difference.
	alike        = Alike
	alikeAtFirst = 0.05
	// nothing is a divergence below which two answers are as good as equal.
	nothing = 1e-4
)

// Alike is how far, in nats, a network is from its training at most on images like those of training.
const Alike = 0.1

// Answer is one way to read a network.
type Answer struct {
	// Text names it for people: "blue, green, red". Option is what asks for it: "--channels bgr".
	Text, Option string
	// read gives a network that is read by another answer the reading of this one.
	read func(n *float.Net) (*float.Net, error)
}

// Question is what a file leaves open. The first answer is the usual one.
type Question struct {
	Text    string
	Answers []Answer
}

// Open says which questions nobody has answered: neither the file nor the caller.
type Open struct{ Channels, Strides, Stem, Padding bool }

// doubt is the margin from which another answer than the one taken is worth a warning.
const doubt = -0.1

// Doubted reports whether another answer would be nearer to training, and yet not clearly enough to be taken.
func (v *Verdict) Doubted() bool { return v.Margin < doubt }

// Verdict is what images say of a question.
type Verdict struct {
	Question string `json:"question"`
	// Taken is the answer by which the network is read, and Option what asks for it.
	Taken  string `json:"taken"`
	Option string `json:"option"`
	// Usual reports whether it is the usual answer.
	Usual bool `json:"usual"`
	// Other is the usual answer where another is taken, else the best of the others; OtherOption asks for it.
	Other       string `json:"other"`
	OtherOption string `json:"other_option"`
	// Margin is how much farther from training the network is by that one, as a share: negative where it is nearer, and yet
	// not clearly enough.
	Margin float64 `json:"margin"`
}

// questions lists what is open for a network, and makes a difference to it.
func questions(net *float.Net, open Open) []Question {
	var all []Question
	cfg := net.Config
	if open.Channels {
		turn := func(n *float.Net) (*float.Net, error) { return n.WithChannelsTurned(), nil } // from the other answer
		all = append(all, Question{"channel order", []Answer{{"red, green, blue", "--channels rgb", turn}, {"blue, green, red", "--channels bgr", turn}}})
	}
	if open.Strides {
		all = append(all, strides(cfg))
	}
	if convs := cfg.Stem.Convs; open.Stem && len(convs) == 1 && convs[0].Kernel == 3 {
		q := Question{Text: "stem"}
		for _, s := range []struct {
			stride int
			pool   topology.Pool
		}{{convs[0].Stride, cfg.Stem.Pool}, {1, topology.NoPool}, {2, topology.NoPool}, {1, topology.Max3x3}, {2, topology.Max3x3}} {
			if len(q.Answers) > 0 && s.stride == convs[0].Stride && s.pool == cfg.Stem.Pool {
				continue
			}
			text := StemText(convs[0].Kernel, s.stride, s.pool)
			q.Answers = append(q.Answers, Answer{text, "--stem " + text, func(n *float.Net) (*float.Net, error) { return n.WithStem(s.stride, s.pool) }})
		}
		all = append(all, q)
	}
	if open.Padding && slices.ContainsFunc(cfg.Stages, func(s resnext.Stage) bool { return s.Shortcut == topology.Padded }) {
		all = append(all, Question{"zeros of shortcuts", []Answer{
			{"around the channels", "--shortcut-pad around", func(n *float.Net) (*float.Net, error) { return n.WithPadding(true) }},
			{"behind the channels", "--shortcut-pad behind", func(n *float.Net) (*float.Net, error) { return n.WithPadding(false) }},
		}})
	}
	return all
}

// strides asks what halves the maps.
func strides(cfg resnext.Config) Question {
	answer := func(text, option string, read func(n *float.Net) (*float.Net, error)) Answer {
		return Answer{text, option, read}
	}
	q := Question{Text: "strides"}
	if slices.ContainsFunc(cfg.Stages, func(s resnext.Stage) bool { return s.Kind == topology.Bottleneck }) {
		q.Answers = []Answer{
			answer("on the 3x3 convolution", "--stride-on 3x3", func(n *float.Net) (*float.Net, error) { return n.WithStrideOn(topology.Transform) }),
			answer("on the first 1x1 convolution", "--stride-on 1x1", func(n *float.Net) (*float.Net, error) { return n.WithStrideOn(topology.Reduce) }),
		}
	} else {
		q.Answers = []Answer{answer("on the convolution", "--anti-alias none", func(n *float.Net) (*float.Net, error) { return n.WithAntiAlias(topology.NoPool) })}
	}
	return Question{q.Text, append(q.Answers,
		answer("by averages behind the 3x3 convolution", "--anti-alias average", func(n *float.Net) (*float.Net, error) { return n.WithAntiAlias(topology.Average2x2) }),
		answer("by blurs behind the 3x3 convolution", "--anti-alias blur", func(n *float.Net) (*float.Net, error) { return n.WithAntiAlias(topology.Blur3x3) }),
	)}
}

// StemText names a stem of one convolution as the option --stem does: "3x3/2,pool".
func StemText(kernel, stride int, pool topology.Pool) string {
	text := fmt.Sprintf("%dx%d", kernel, kernel)
	if stride != 1 {
		text += fmt.Sprintf("/%d", stride)
	}
	if pool != topology.NoPool {
		text += ",pool"
	}
	return text
}

// Readings is what images say of a network whose file leaves something open.
type Readings struct {
	Net *float.Net // read in the best way
	Fit *Fit       // of that
	// Verdicts are those on the questions.
	Verdicts []Verdict
	// Told reports whether the images are like those of training; if not, they tell nothing and the usual answers are taken.
	Told bool
}

// Read finds the best reading of a network on images, prepared as p says: that of all which is nearest to its training, if it
// is clearly nearer than the usual one, on either half of the images; then again what is left. progress, if not nil, is called
// after each reading that is tried, of which there are more than Tries where something unusual is taken.
func Read(ctx context.Context, net *float.Net, open Open, images Images, p resnext.Preprocess, threads int,
	progress func(done, total int)) (*Readings, error) {
	r := reader{ctx: ctx, images: images, preprocess: p, threads: threads}
	all := questions(net, open)
	taken := make([]int, len(all))
	tried, total := 0, Tries(net, open)
	step := func() {
		if tried++; progress != nil {
			progress(min(tried, total), total)
		}
	}
	base, err := r.measure(net)
	if err != nil {
		return nil, err
	}
	step()
	// The usual answers are those of net itself, whatever else it is.
	for range len(all) + 1 {
		tries := make([][]*trial, len(all))
		var best *trial
		for i, q := range all {
			tries[i] = make([]*trial, len(q.Answers))
			for j, a := range q.Answers {
				if j == taken[i] {
					tries[i][j] = base
					continue
				}
				other, err := a.read(base.net)
				if err != nil { // impossible for this network
					continue
				}
				t, err := r.measure(other)
				if err != nil {
					return nil, err
				}
				step()
				t.question, t.answer = i, j
				tries[i][j] = t
				if taken[i] == 0 && t.clearly(base) && (best == nil || t.fit() < best.fit()) {
					best = t
				}
			}
		}
		if best == nil {
			return finish(base, all, taken, tries), nil
		}
		base, taken[best.question] = best, best.answer
	}
	return nil, fmt.Errorf("the readings of the network do not settle")
}

// Tries is how many readings of a network there are to try.
func Tries(net *float.Net, open Open) int {
	total := 1
	for _, q := range questions(net, open) {
		total += len(q.Answers) - 1
	}
	return total
}

// trial is a reading that was measured, on both halves of the images.
type trial struct {
	net              *float.Net
	halves           [2]*Fit
	question, answer int
}

func (t *trial) fit() float64 { return (t.halves[0].Divergence + t.halves[1].Divergence) / 2 }

// clearly reports whether a reading is to be taken in place of another.
func (t *trial) clearly(other *trial) bool {
	for i, h := range t.halves {
		if h.Divergence > convincing*other.halves[i].Divergence {
			return false
		}
	}
	return t.tells() && other.fit()-t.fit() > nothing
}

// tells reports whether the images are like those of training by a reading.
func (t *trial) tells() bool {
	first := (t.halves[0].Layers[0].Divergence + t.halves[1].Layers[0].Divergence) / 2
	return t.fit() < alike && first < alikeAtFirst
}

type reader struct {
	ctx        context.Context
	images     Images
	preprocess resnext.Preprocess
	threads    int
}

// measure measures a network on the even and on the odd images; on all twice where there is one.
func (r *reader) measure(net *float.Net) (*trial, error) {
	t := &trial{net: net}
	for half := range t.halves {
		images := Images{(r.images.N + 1 - half) / 2, func(i int) ([]byte, error) { return r.images.Load(2*i + half) }}
		if r.images.N == 1 {
			images = r.images
		}
		var err error
		if t.halves[half], err = Measure(r.ctx, net, images, r.preprocess, r.threads); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// finish says what was found.
func finish(base *trial, all []Question, taken []int, tries [][]*trial) *Readings {
	r := &Readings{Net: base.net, Fit: &Fit{Divergence: base.fit()}, Told: base.tells()}
	for i, l := range base.halves[0].Layers {
		o := base.halves[1].Layers[i]
		r.Fit.Layers = append(r.Fit.Layers, Layer{l.Name, (l.Divergence + o.Divergence) / 2, (l.Variance + o.Variance) / 2})
	}
	for i, q := range all {
		v := Verdict{Question: q.Text, Taken: q.Answers[taken[i]].Text, Option: q.Answers[taken[i]].Option, Usual: taken[i] == 0}
		nearest := math.Inf(1)
		for j, t := range tries[i] {
			if taken[i] != 0 && j != 0 { // what is unusual is compared with the usual
				continue
			}
			if t != nil && j != taken[i] && t.fit() < nearest {
				nearest, v.Other, v.OtherOption = t.fit(), q.Answers[j].Text, q.Answers[j].Option
			}
		}
		if v.Other == "" || math.Abs(nearest-base.fit()) < nothing {
			continue // there is nothing to choose
		}
		v.Margin = nearest/max(base.fit(), nothing) - 1
		r.Verdicts = append(r.Verdicts, v)
	}
	return r
}
