package web

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sitter makes a seat for a newcomer; the returned function tells whether its place was taken away.
func sitter(address string, since time.Time) (k *seat, lost func() bool) {
	left, ended := false, false
	k = &seat{address: origin(address), since: since, leave: func() { left = true }, deadline: func(end time.Time) error {
		ended = !end.After(since.Add(time.Hour))
		return nil
	}}
	return k, func() bool { return left && ended }
}

func TestSeatsAreShared(t *testing.T) {
	s := seats{limit: 4, giveWay: time.Second}
	now := time.Unix(1e9, 0)
	come := func(address string) (*seat, func() bool) {
		now = now.Add(time.Millisecond)
		k, lost := sitter(address, now)
		if !s.enter(k) {
			return nil, nil
		}
		return k, lost
	}
	var greedy [4]*seat
	var lost [4]func() bool
	for i := range greedy {
		greedy[i], lost[i] = come("10.0.0.1:1")
		require.NotNil(t, greedy[i])
	}
	more, _ := come("10.0.0.1:9")
	require.Nil(t, more, "all its own places are in use")

	one, oneLost := come("10.0.0.2:1")
	require.NotNil(t, one)
	require.True(t, lost[0](), "who came first of those who hold most")
	require.False(t, greedy[0].begin(now, now))
	two, _ := come("10.0.0.2:2")
	require.NotNil(t, two)
	three, _ := come("10.0.0.2:3")
	require.Nil(t, three, "two and two")
	again, _ := come("10.0.0.1:1")
	require.Nil(t, again)
	require.Equal(t, 4, s.count())
	other, _ := come("10.0.0.3:1")
	require.NotNil(t, other)
	require.True(t, lost[2]())
	require.False(t, oneLost())
	fourth, _ := come("10.0.0.4:1")
	require.NotNil(t, fourth)
	require.True(t, oneLost(), "two against one and one")
	fifth, _ := come("10.0.0.5:1")
	require.Nil(t, fifth, "one each")
	require.False(t, s.room(origin("10.0.0.5:1"), now))

	// Whoever has stalled gives way to everybody.
	require.True(t, fourth.begin(now, now))
	now = now.Add(2 * time.Second)
	require.True(t, s.room(origin("10.0.0.5:1"), now))
	fifth, _ = come("10.0.0.5:1")
	require.NotNil(t, fifth)
	require.False(t, fourth.begin(now, now))
	require.True(t, fifth.begin(now, now))
	fifth.done()
	now = now.Add(2 * time.Second)
	sixth, _ := come("10.0.0.6:1")
	require.Nil(t, sixth, "what was taken is not stalled")

	// A place that is another's already is not given back twice.
	for _, k := range []*seat{greedy[0], greedy[3], two, other, fourth, fifth, fifth} {
		k.exit()
	}
	require.Zero(t, s.count())
}

func TestOrigin(t *testing.T) {
	for _, same := range [][2]string{
		{"10.0.0.1:1", "10.0.0.1:2"}, {"[::ffff:10.0.0.1]:1", "10.0.0.1:2"},
		{"[2001:db8::1]:1", "[2001:db8::ffff:1]:1"}, {"[fe80::1%eth0]:1", "[fe80::1%wlan0]:1"},
	} {
		require.Equal(t, origin(same[0]), origin(same[1]))
	}
	for _, differ := range [][2]string{
		{"10.0.0.1:1", "10.0.0.2:1"}, {"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}, {"[fe80::1%eth0]:1", "[fe80::2%eth0]:1"},
	} {
		require.NotEqual(t, origin(differ[0]), origin(differ[1]))
	}
	require.Equal(t, netip.Prefix{}, origin("@"))
	require.Equal(t, "127.0.0.1/32", fmt.Sprint(origin("127.0.0.1:80")))
}

// sending is how many viewers have not taken what was sent.
func (s *seats) sending() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.taken {
		if !k.busy.IsZero() {
			n++
		}
	}
	return n
}
