// Package live classifies frames as they come and tells everybody who wants to know.
package live

import "time"

// Guess is one class with its probability.
type Guess struct {
	Class       int     `json:"class"`
	Label       string  `json:"label"`
	Probability float64 `json:"probability"` // 0 to 1
}

// Update is what is known after one frame. It is not changed once it is published, nor may a Sink change it.
type Update struct {
	Time    time.Time `json:"time"`
	Frame   uint64    `json:"frame"`   // frames classified, from 1
	Dropped uint64    `json:"dropped"` // frames that came while another was being classified
	Damaged uint64    `json:"damaged"` // frames left out because they were cut short or could not be decoded
	// Top are the most probable classes over the last frames, best first; Raw is the best of this frame alone.
	Top []Guess `json:"top"`
	Raw Guess   `json:"raw"`
	// Shown is the class to show to people: the best of Top, but it changes only where another is clearly ahead.
	Shown Guess `json:"shown"`
	// All are the probabilities of all classes over the last frames, by class.
	All []float64 `json:"-"`
	// FramesPerSecond is how many frames are classified; CameraFPS how many the source gives.
	FramesPerSecond float64 `json:"fps"`
	CameraFPS       float64 `json:"camera_fps"`
	// InferMS is the time of the network alone, TotalMS from the arrival of the frame to this update, in milliseconds.
	InferMS float64 `json:"infer_ms"`
	TotalMS float64 `json:"total_ms"`
	Board   Board   `json:"board"`
	// JPEG is the picture, for viewers; nil where nobody looks.
	JPEG []byte `json:"-"`
}

// Board is the state of the computer. What it cannot tell is nil or empty.
type Board struct {
	TemperatureC *float64 `json:"temperature_c"`
	// Throttled lists what holds the CPU back now, in words, such as "under-voltage"; Slowed tells that the program has
	// itself slowed down to let it cool.
	Throttled []string `json:"throttled"`
	Slowed    bool     `json:"slowed"`
	// ThrottledBefore lists what has held the CPU back since the computer was started.
	ThrottledBefore []string `json:"throttled_before"`
}

// About is what does not change while the program runs.
type About struct {
	Program string   `json:"program"` // name and version
	Model   string   `json:"model"`   // file name
	Network string   `json:"network"` // such as "resnext50_32x4d"
	Labels  []string `json:"labels"`
	Kernels string   `json:"kernels"`
	Threads int      `json:"threads"`
	Source  string   `json:"source"` // where frames come from, in words
	Board   string   `json:"board"`  // the computer's model, in words
}

// Sink receives updates. Publish is called from one goroutine, one update after the other, and must not block: a sink
// that cannot keep up drops updates. Close is called once, last, and may take a second.
type Sink interface {
	Publish(*Update)
	Close() error
}
