package hook

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/group"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// Options tell how commands run.
type Options struct {
	// Timeout is how long a command may run before it is killed with everything it started.
	Timeout time.Duration
	// Cooldown is the least time from one start of a hook's command to the next.
	Cooldown time.Duration
	// Report takes each line that a command prints, and messages about commands that fail.
	Report func(format string, args ...any)
}

// Hooks runs commands at conditions. It is a live.Sink. A hook's command never runs twice at a time: what happens
// meanwhile is answered when it has ended, if it is still so.
type Hooks struct {
	options Options
	hooks   []*hook
	now     func() time.Time
	running sync.WaitGroup
	open    context.Context // until Close
	close   context.CancelFunc
}

// hook is one command with its trigger.
type hook struct {
	name      string
	command   string
	condition *Condition // nil: runs when the shown class changes
	shown     int        // the class that the command was last told of, -1 at first
	last      time.Time  // when it was last started
	busy      chan struct{}
}

// New makes the hooks. Each of on is a condition with a command, "cat>0.8 ./feed.sh"; each of onChange is a command that
// runs whenever the shown class changes, the first included.
func New(on, onChange, labels []string, o Options) (*Hooks, error) {
	h := &Hooks{options: o, now: time.Now}
	h.open, h.close = context.WithCancel(context.Background())
	for _, text := range on {
		c, command, err := parseCondition(text, labels)
		if err != nil {
			return nil, err
		}
		if command == "" {
			return nil, fmt.Errorf("%q says when, but not what to run: expected such as '%s ./feed.sh'", text, c)
		}
		h.add(&hook{name: c.String(), command: command, condition: c})
	}
	for _, command := range onChange {
		if command == "" {
			return nil, errors.New("the command to run when the class changes is empty")
		}
		h.add(&hook{name: "change", command: command})
	}
	return h, nil
}

func (h *Hooks) add(k *hook) {
	k.shown, k.busy = -1, make(chan struct{}, 1)
	h.hooks = append(h.hooks, k)
}

// Len is the number of hooks.
func (h *Hooks) Len() int { return len(h.hooks) }

// Publish starts what is due. It does not wait for commands.
func (h *Hooks) Publish(u *live.Update) {
	for _, k := range h.hooks {
		g, due := k.due(u)
		if !due || h.now().Sub(k.last) < h.options.Cooldown {
			continue
		}
		select {
		case k.busy <- struct{}{}:
		default: // it still runs
			continue
		}
		env := k.environment(u, g)
		k.fired(g)
		k.last = h.now()
		h.running.Go(func() {
			h.run(k, env)
			<-k.busy
		})
	}
}

// due tells whether the command should run, and of which class to tell it.
func (k *hook) due(u *live.Update) (live.Guess, bool) {
	if k.condition == nil {
		return u.Shown, u.Shown.Class != k.shown
	}
	c := k.condition
	if c.Class >= len(u.All) {
		return live.Guess{}, false
	}
	p := u.All[c.Class]
	return live.Guess{Class: c.Class, Label: c.Label, Probability: p}, c.crossed(p)
}

func (k *hook) fired(g live.Guess) {
	k.shown = g.Class
	if k.condition != nil {
		k.condition.fired()
	}
}

// environment is what the command learns.
func (k *hook) environment(u *live.Update, g live.Guess) []string {
	return append(group.Environ(),
		"RESNEXT_LABEL="+g.Label,
		"RESNEXT_CLASS="+strconv.Itoa(g.Class),
		"RESNEXT_PROBABILITY="+strconv.FormatFloat(g.Probability, 'f', 4, 64),
		"RESNEXT_FRAME="+strconv.FormatUint(u.Frame, 10),
		"RESNEXT_TIME="+u.Time.UTC().Format(time.RFC3339Nano),
		"RESNEXT_HOOK="+k.name,
	)
}

// Close ends the commands that still run.
func (h *Hooks) Close() error {
	h.close()
	h.running.Wait()
	return nil
}
