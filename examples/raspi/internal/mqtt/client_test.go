package mqtt

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

var _ live.Sink = (*Client)(nil)

var testAbout = live.About{Program: "raspi-live 1.0.0", Board: "Raspberry Pi 5 Model B Rev 1.0"}

func update(frame int, label string) *live.Update {
	celsius := 61.5
	best := live.Guess{Class: 3, Label: label, Probability: 0.875}
	return &live.Update{
		Shown: best, Raw: best, Frame: uint64(frame), FramesPerSecond: 14.8, InferMS: 60, TotalMS: 64,
		Top:   []live.Guess{best, {Class: 1, Label: "other", Probability: 0.1}},
		Board: live.Board{TemperatureC: &celsius}, JPEG: []byte("picture"),
	}
}

// patient tries again soon and gives up late: tests end by what happens, and no connection lasts long enough to be
// steady.
var patient = times{
	first: 20 * time.Millisecond, longest: 200 * time.Millisecond, steady: time.Hour, lookup: time.Hour,
	farewell: usualTimes.farewell, close: time.Hour,
}

// start makes a client that closes with the test.
func start(t *testing.T, o Options) (*Client, *logbook) {
	t.Helper()
	l := &logbook{}
	c, err := newClient(testAbout, o, patient, l.add)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c, l
}

// stateText is what an update is to look like to subscribers.
func stateText(t *testing.T, u *live.Update) string {
	t.Helper()
	b, err := json.Marshal(u)
	require.NoError(t, err)
	return string(b)
}

func TestPublish(t *testing.T) {
	t.Parallel()
	for qos := range byte(3) {
		for _, retain := range []bool{false, true} {
			t.Run(fmt.Sprint(qos, retain), func(t *testing.T) {
				b := startBroker(t)
				o := observe(t, b)
				c, l := start(t, Options{Broker: b.addr, Prefix: "a/b", QoS: qos, Retain: retain, Every: time.Millisecond})
				status := o.await(t, "a/b/status", "online")
				require.Equal(t, min(qos, 1), status.Qos())
				u := update(1, "猫\x1b[31m")
				c.Publish(u)
				require.NotContains(t, string(o.await(t, "a/b/state", stateText(t, u)).Payload()), "picture")
				o.await(t, "a/b/label", `猫\x1b[31m`)
				c.Publish(&live.Update{FramesPerSecond: math.NaN()})
				c.Publish(&live.Update{Frame: 3})
				o.await(t, "a/b/label", "")

				late := observe(t, b)
				require.True(t, late.await(t, "a/b/status", "online").Retained())
				require.NoError(t, wait(o.Client.Publish("all/retained/came", 1, false, "yes")))
				late.await(t, "all/retained/came", "yes")
				require.Len(t, late.all("a/b/state"), map[bool]int{false: 0, true: 1}[retain])

				require.NoError(t, c.Close())
				o.await(t, "a/b/status", "offline")
				require.NoError(t, c.Close())
				require.Contains(t, l.all(), "MQTT: connected to mqtt://"+b.addr+", topics below a/b")
			})
		}
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	o := observe(t, b)
	c, _ := start(t, Options{Broker: b.addr, Prefix: "resnext/pi.4", Discovery: true, DiscoveryPrefix: "ha"})
	c.Publish(update(1, "cat"))
	o.await(t, "resnext/pi.4/label", "cat")
	o.await(t, "resnext/pi.4/status", "online")
	for _, name := range []string{"label", "confidence", "fps", "temperature"} {
		found := o.all("ha/sensor/resnext_pi_4/" + name + "/config")
		require.NotEmpty(t, found, name)
		var s sensor
		d := json.NewDecoder(strings.NewReader(string(found[0].Payload())))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&s))
		require.Equal(t, "resnext_pi_4_"+name, s.UniqueID)
		require.Equal(t, "resnext/pi.4/status", s.AvailabilityTopic)
		require.Equal(t, "resnext/pi.4/"+map[bool]string{true: "label", false: "state"}[name == "label"], s.StateTopic)
		require.Equal(t, []string{"resnext_pi_4"}, s.Device.Identifiers)
		require.Equal(t, testAbout.Board, s.Device.Model)
		require.Equal(t, 180, s.ExpireAfter)
	}
	// Who comes later finds the sensors retained.
	late := observe(t, b)
	late.await(t, "resnext/pi.4/status", "online")
	require.True(t, late.all("ha/sensor/resnext_pi_4/fps/config")[0].Retained())

	// Home Assistant starts: everything is said again, the state too.
	before := len(o.all("ha/sensor/resnext_pi_4/fps/config"))
	require.NoError(t, wait(o.Client.Publish("ha/status", 0, false, "offline")))
	require.NoError(t, wait(o.Client.Publish("ha/status", 0, false, "online")))
	await.True(t, func() bool {
		return len(o.all("ha/sensor/resnext_pi_4/fps/config")) == before+1 && len(o.all("resnext/pi.4/state")) == 2
	})
}

func TestNoDiscovery(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	o := observe(t, b)
	c, _ := start(t, Options{Broker: b.addr, Prefix: "p"})
	c.Publish(update(1, "cat"))
	o.await(t, "p/label", "cat")
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.seen {
		require.NotContains(t, m.Topic(), "homeassistant")
	}
}

// The interval holds, the newest wins, and the last is published though nothing follows it.
func TestEvery(t *testing.T) {
	t.Parallel()
	const every = 200 * time.Millisecond
	b := startBroker(t)
	o := observe(t, b)
	c, _ := start(t, Options{Broker: b.addr, Prefix: "p", Every: every})
	o.await(t, "p/status", "online")
	begin := time.Now()
	c.Publish(update(1, "cat"))
	o.await(t, "p/state", stateText(t, update(1, "cat")))
	for frame := 2; frame <= 100; frame++ {
		c.Publish(update(frame, "cat"))
	}
	o.await(t, "p/state", stateText(t, update(100, "cat")))
	require.LessOrEqual(t, len(o.all("p/state")), 2+int(time.Since(begin)/every))
}

func TestOnChange(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	o := observe(t, b)
	c, _ := start(t, Options{Broker: b.addr, Prefix: "p", Every: time.Millisecond, OnChange: true})
	o.await(t, "p/status", "online")
	for frame, label := range []string{"cat", "cat", "cat", "dog", "dog", "cat", "end"} {
		c.Publish(update(frame, label))
		o.await(t, "p/label", label)
		await.True(t, func() bool { return len(c.fresh) == 0 }, "the update is taken")
	}
	var labels []string
	for _, m := range o.all("p/label") {
		labels = append(labels, string(m.Payload()))
	}
	require.Equal(t, []string{"cat", "dog", "cat", "end"}, labels)

	session := session{Client: c}
	require.True(t, session.wanted(update(9, "cat"), update(8, "cat"), time.Now().Add(-refresh)), "a minute has passed")
}
