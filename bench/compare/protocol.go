package main

// request is one line of JSON that a worker reads. What it does:
//
//	load     open Model for Threads threads, and Inputs: images as the model takes them, one after the other
//	time     infer the first image Runs times; NS gets the nanoseconds of each
//	logits   write the float32 logits of every image to the file Out
//	profile  infer the first image Runs times; Layers gets the nanoseconds of each layer
//
// The worker answers each with one reply, after a first one that gives its Name and Version, and ends with its
// standard input. Workers: serve, for this library, and bench/worker.py.
type request struct {
	Do      string `json:"do"`
	Model   string `json:"model,omitempty"`
	Inputs  string `json:"inputs,omitempty"`
	Threads int    `json:"threads,omitempty"`
	Runs    int    `json:"runs,omitempty"`
	Out     string `json:"out,omitempty"`
}

type reply struct {
	Name    string             `json:"name,omitempty"`
	Version string             `json:"version,omitempty"`
	NS      []int64            `json:"ns,omitempty"`
	Layers  map[string]float64 `json:"layers,omitempty"`
	Error   string             `json:"error,omitempty"`
}
