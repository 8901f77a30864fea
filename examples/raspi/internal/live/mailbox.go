package live

import (
	"context"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
)

// Mailbox passes frames from a camera to the network. It holds one: a newer frame takes its place, so that what is
// classified is always the newest and no delay builds up. One goroutine puts and one takes.
type Mailbox struct {
	slot    chan *camera.Frame
	dropped counter
	arrived rate
}

// NewMailbox makes an empty mailbox.
func NewMailbox() *Mailbox { return &Mailbox{slot: make(chan *camera.Frame, 1)} }

// Put leaves a frame, in place of one that was not taken yet.
func (m *Mailbox) Put(f *camera.Frame) {
	m.arrived.add(f.Time)
	for {
		select {
		case m.slot <- f:
			return
		default:
		}
		select {
		case old := <-m.slot:
			m.dropped.add()
			old.Release()
		default: // it was taken just now
		}
	}
}

// PutWait leaves a frame once the last one is taken; nothing is dropped.
func (m *Mailbox) PutWait(ctx context.Context, f *camera.Frame) {
	m.arrived.add(f.Time)
	select {
	case m.slot <- f:
	case <-ctx.Done():
		f.Release()
	}
}

// Close tells that no frame will come any more. Only who puts may call it.
func (m *Mailbox) Close() { close(m.slot) }
