package mqtt

import (
	"encoding/json"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// sensor is what Home Assistant wants to know of one value; the names are those of its MQTT sensor integration.
type sensor struct {
	Name              string   `json:"name"`
	UniqueID          string   `json:"unique_id"`
	StateTopic        string   `json:"state_topic"`
	ValueTemplate     string   `json:"value_template"`
	Unit              string   `json:"unit_of_measurement,omitempty"`
	DeviceClass       string   `json:"device_class,omitempty"`
	StateClass        string   `json:"state_class,omitempty"`
	Icon              string   `json:"icon,omitempty"`
	Category          string   `json:"entity_category,omitempty"`
	Precision         *int     `json:"suggested_display_precision,omitempty"`
	AvailabilityTopic string   `json:"availability_topic"`
	ExpireAfter       int      `json:"expire_after"` // seconds
	QoS               byte     `json:"qos"`
	Device            device   `json:"device"`
	Origin            software `json:"origin"`
}

type device struct {
	Identifiers []string `json:"identifiers"`
	Name        string   `json:"name"`
	Model       string   `json:"model,omitempty"`
	Software    string   `json:"sw_version,omitempty"`
}

type software struct {
	Name string `json:"name"`
}

// sensors by the last word of their ids. "None" in a template makes a value unknown.
func (c *Client) sensors() map[string]sensor {
	zero, one := 0, 1
	return map[string]sensor{
		"label": {
			Name: "Label", StateTopic: "label", Icon: "mdi:eye",
			ValueTemplate: "{{ value[:255] }}", // a state has no more characters
		},
		"confidence": {
			Name: "Confidence", StateTopic: "state", Unit: "%", StateClass: "measurement", Icon: "mdi:percent", Precision: &zero,
			ValueTemplate: "{{ (100 * value_json.shown.probability) | round(1) }}",
		},
		"fps": {
			Name: "Frames per second", StateTopic: "state", Unit: "fps", StateClass: "measurement", Icon: "mdi:speedometer",
			Category: "diagnostic", Precision: &one, ValueTemplate: "{{ value_json.fps | round(2) }}",
		},
		"temperature": {
			Name: "CPU temperature", StateTopic: "state", Unit: "°C", StateClass: "measurement", DeviceClass: "temperature",
			Category: "diagnostic", Precision: &one, ValueTemplate: "{{ value_json.board.temperature_c }}",
		},
	}
}

// greet begins a connection: it listens for Home Assistant's start and says that all is there.
func (s *session) greet() error {
	if s.options.discovery != "" {
		born := func(_ paho.Client, m paho.Message) {
			if string(m.Payload()) == online && !m.Retained() {
				signal(s.birth)
			}
		}
		topic := s.options.discovery + "/status"
		// At quality 0 the broker need not be believed that it will call back what it sent: see bounded.
		err := do(s.ctx, func() paho.Token { return s.conn.Subscribe(topic, 0, born) })
		switch {
		case err != nil && !s.conn.IsConnectionOpen():
			return err
		case err != nil: // an access list may forbid it
			s.denied.Do(func() {
				s.log("MQTT: a restart of Home Assistant will not be noticed: subscribing to %s: %v", topic, err)
			})
		}
	}
	return s.announce()
}

// announce publishes the sensors and that they are available.
func (s *session) announce() error {
	if s.options.discovery != "" {
		if err := s.discover(); err != nil {
			return err
		}
	}
	return s.put("status", true, []byte(online))
}

// expiry is after how long without an update sensors are unknown: the camera has failed. Updates come every interval,
// or every minute where only changes are published.
func (s settings) expiry() time.Duration { return max(3*time.Minute, 3*s.every) }

func (s *session) discover() error {
	id := word(s.options.prefix)
	for name, v := range s.sensors() {
		v.UniqueID = id + "_" + name
		v.StateTopic = s.options.prefix + "/" + v.StateTopic
		v.AvailabilityTopic = s.options.prefix + "/status"
		v.ExpireAfter = int(s.options.expiry().Seconds())
		v.QoS = s.options.qos
		v.Device = device{Identifiers: []string{id}, Name: s.options.prefix, Model: s.about.Board, Software: s.about.Program}
		v.Origin = software{s.about.Program}
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if err := s.publish(s.ctx, s.options.discovery+"/sensor/"+id+"/"+name+"/config", true, body); err != nil {
			return err
		}
	}
	return nil
}
