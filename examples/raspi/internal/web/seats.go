package web

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// seats are the places of those who look at the same time. Where all are taken, a newcomer gets the place of a viewer
// who has stalled, or one of the address that holds the most if it would still hold more than the newcomer's: nobody
// can keep others away by taking all.
type seats struct {
	limit   int
	giveWay time.Duration // who takes nothing for so long has stalled

	mu    sync.Mutex
	taken map[*seat]struct{}
}

// seat is one viewer's place.
type seat struct {
	of       *seats
	address  netip.Prefix
	since    time.Time
	leave    context.CancelFunc        // tells the viewer that the place is another's
	deadline func(end time.Time) error // bounds what is being sent
	busy     time.Time                 // since when the viewer has not taken what was sent; zero while nothing is
	lost     bool                      // the place is another's
}

// enter takes a place, and reports whether there was one. Who entered must leave.
func (s *seats) enter(k *seat) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) >= s.limit {
		v := s.victim(k.address, k.since)
		if v == nil {
			return false
		}
		v.lost = true
		v.leave()
		_ = v.deadline(k.since) // what is being sent ends now
		delete(s.taken, v)
	}
	if s.taken == nil {
		s.taken = map[*seat]struct{}{}
	}
	k.of = s
	s.taken[k] = struct{}{}
	return true
}

// room reports whether enter would find a place for somebody of this address.
func (s *seats) room(address netip.Prefix, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.taken) < s.limit || s.victim(address, now) != nil
}

// victim is the viewer who has to go for a newcomer; nil if nobody has.
func (s *seats) victim(address netip.Prefix, now time.Time) (worst *seat) {
	held := map[netip.Prefix]int{}
	for k := range s.taken {
		held[k.address]++
	}
	for k := range s.taken {
		stalled := k.stalled(now, s.giveWay)
		if !stalled && held[k.address] <= held[address]+1 {
			continue
		}
		if worst == nil || k.before(worst, held, now, s.giveWay) {
			worst = k
		}
	}
	return worst
}

// before reports whether k has to go rather than other: who has stalled, then who holds more, then who came first.
func (k *seat) before(other *seat, held map[netip.Prefix]int, now time.Time, giveWay time.Duration) bool {
	if a, b := k.stalled(now, giveWay), other.stalled(now, giveWay); a != b {
		return a
	}
	if a, b := held[k.address], held[other.address]; a != b {
		return a > b
	}
	return k.since.Before(other.since)
}

func (k *seat) stalled(now time.Time, giveWay time.Duration) bool {
	return !k.busy.IsZero() && now.Sub(k.busy) >= giveWay
}

// exit gives the place back, if it was taken and is not another's by now.
func (k *seat) exit() {
	if k.of == nil {
		return
	}
	k.of.mu.Lock()
	defer k.of.mu.Unlock()
	delete(k.of.taken, k)
}

// begin tells that something is being sent, which may take until end. It reports whether the place is still the
// viewer's.
func (k *seat) begin(now, end time.Time) bool {
	k.of.mu.Lock()
	defer k.of.mu.Unlock()
	if k.lost || k.deadline(end) != nil {
		return false
	}
	k.busy = now
	return true
}

// done tells that the viewer has taken it.
func (k *seat) done() {
	k.of.mu.Lock()
	defer k.of.mu.Unlock()
	k.busy = time.Time{}
}

// count is how many places are taken.
func (s *seats) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.taken)
}

// origin is what shares places: an address, or for IPv6 the network of 64 bits in which a host can have any number of
// them. Addresses of one link are all in the same such network and count by themselves.
func origin(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{} // all strangers together
	}
	address := at.Addr().Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() && !address.IsLinkLocalUnicast() {
		bits = 64
	}
	p, _ := address.Prefix(bits) // it has as many bits
	return p
}
