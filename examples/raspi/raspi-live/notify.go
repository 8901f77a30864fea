package main

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// notify tells systemd a state, such as READY=1, if systemd asked for it: see sd_notify(3). That nobody listens is no
// reason to stop.
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if rest, ok := strings.CutPrefix(path, "@"); ok { // an abstract socket
		path = "\x00" + rest
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = c.Write([]byte(state))
}

// watchdog tells systemd that the program lives, twice in the time that WatchdogSec= gives it, as long as it does.
func watchdog(ctx context.Context, alive func(now time.Time) time.Duration) {
	us, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || us <= 0 {
		return
	}
	limit := time.Duration(us) * time.Microsecond
	tick := time.NewTicker(limit / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if alive(now) < limit {
				notify("WATCHDOG=1")
			}
		}
	}
}
