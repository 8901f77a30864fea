// Package report writes what a calibration did as one page of HTML: whether the int8 network is good, where
// it is weak, and what to try. The page is one file that loads nothing, needs no JavaScript, suits desktops,
// phones and paper, and follows the reader's light or dark theme.
//
// The package measures nothing. It is given a Data and draws it; the same Data gives the same bytes. Names
// and labels may be hostile: html/template escapes them.
package report

import "github.com/libresnext/libresnext/quant"

// Data is everything that the page shows, and the object "details" of calib --json. What is nil or empty was
// not measured, and the page says so.
type Data struct {
	Found   Found    `json:"found"`
	Network Network  `json:"network"`
	Choices Choices  `json:"choices"`
	Summary Summary  `json:"summary"`
	Layers  []Layer  `json:"layers"`
	Kernels Kernels  `json:"kernels"`
	Answers *Answers `json:"answers"`
	// Labels names the classes; empty if they have no names.
	Labels []string `json:"labels"`
	Run    Run      `json:"run"`
}

// Found is what was found out about the files before and after the work, and what the reader should know first.
type Found struct {
	// Alarms are what is probably wrong, or unusual, in sentences without a full stop.
	Alarms []string `json:"alarms"`
	// Evidence are lines about what the network's statistics said of its reading.
	Evidence []Setting `json:"evidence"`
	// Notes say what of the weights' file was taken, set aside or understood as something else.
	Notes []string `json:"notes"`
}

// Network says which network it is.
type Network struct {
	Name       string `json:"name"`
	Parameters int64  `json:"parameters"`
	MACs       int64  `json:"macs"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	Classes    int    `json:"classes"`
	// Random reports whether the weights were made up.
	Random bool `json:"random"`
}

// Choices are the settings that advice depends on.
type Choices struct {
	Observer string `json:"observer"`
	// Percentile is that of the observer percentile.
	Percentile float64 `json:"percentile"`
	// Depth is the acc16 depth that the weights were rounded for, in products; 0 is off. With DepthAuto it was
	// chosen for each layer, and Depth is that of most of the work.
	Depth     int  `json:"chains"`
	DepthAuto bool `json:"chains_auto"`
	// DepthLoss bounds what DepthAuto gave up: by how much the layers' noise grew at most, on average. Nil if
	// it is not known.
	DepthLoss *quant.Decibel `json:"chain_loss_db"`
	// Techniques are those that worked on the network, in their order; Absorbed is how many channels' constants
	// quant.Absorption moved.
	Techniques []quant.Technique `json:"techniques"`
	Absorbed   int               `json:"absorbed"`
	// Equalise is what to change on the command line for weight ranges to be equalised; empty where they were.
	Equalise string `json:"-"`
	// Images is how many calibrated; ImagesText says which.
	Images     int    `json:"pictures"`
	ImagesText string `json:"pictures_text"`
	// AllImages reports whether there were no more.
	AllImages bool `json:"all_pictures"`
}

// Summary compares both networks as wholes.
type Summary struct {
	// Images is how many both ran, Labelled how many of them have a label; ComparedOn says which.
	Images     int    `json:"pictures"`
	Labelled   int    `json:"labelled"`
	ComparedOn string `json:"compared_on"`
	// Skipped is how many images could not be read.
	Skipped   int            `json:"skipped"`
	Float     Side           `json:"float"`
	Int8      Side           `json:"int8"`
	Agreement *float64       `json:"agreement"` // 0 to 1
	SQNR      *quant.Decibel `json:"sqnr_db"`   // of the logits
}

// Side is one of the two networks.
type Side struct {
	Top1         *float64 `json:"top1"` // 0 to 1
	Top5         *float64 `json:"top5"`
	Bytes        int64    `json:"bytes"`
	Milliseconds *float64 `json:"milliseconds"` // of one image on one core
}

// Layer is one convolution, in the order in which they run.
type Layer struct {
	Name   string `json:"name"`
	In     int    `json:"in"`
	Out    int    `json:"out"`
	Kernel int    `json:"kernel"`
	Stride int    `json:"stride"`
	Groups int    `json:"groups"`
	OutW   int    `json:"out_width"`
	OutH   int    `json:"out_height"`
	MACs   int64  `json:"macs"`
	// SQNR is that of the output with the error of all layers before.
	SQNR *quant.Decibel `json:"sqnr_db"`
	// Weights, Rounding and Clipping are the ratios that this layer's weights, and the rounding and
	// clipping of its output, would have alone.
	Weights  *quant.Decibel `json:"weights_db"`
	Rounding *quant.Decibel `json:"rounding_db"`
	Clipping *quant.Decibel `json:"clipping_db"`
	// Values are the output's, of the float network over the calibration images.
	Values *Values `json:"values"`
	// SpreadBefore and Spread are the largest over the median range of the weights of an output channel,
	// before and after equalisation. Without equalisation only Spread is set.
	SpreadBefore *float64 `json:"spread_before,omitempty"`
	Spread       *float64 `json:"spread"`
	// Depths are the shares of the layer's multiply-accumulates by acc16 depth, smallest first.
	Depths []DepthShare `json:"chains"`
	Lanes  *Lanes       `json:"lanes"`
}

// Values is a histogram of magnitudes and the range that was chosen from it.
type Values struct {
	Signed bool `json:"signed"`
	// Range is the largest magnitude that 8 bits keep, Max the largest seen.
	Range float64 `json:"range"`
	Max   float64 `json:"max"`
	// Count is how many values there are, Zeros how many of them are 0 and Clipped more than Range.
	Count   int64 `json:"count"`
	Zeros   int64 `json:"zeros"`
	Clipped int64 `json:"clipped"`
	// Bins counts the others in steps of Width from 0 on.
	Width float64 `json:"bin_width"`
	Bins  []int64 `json:"bins"`
}

// DepthShare is the share (0 to 1) of work that sums so many products in 16 bits; 0 is the kernel that needs
// no proof.
type DepthShare struct {
	Products int     `json:"products"`
	Share    float64 `json:"share"`
}

// Lanes says how full 16-bit lanes of so many products are; 1 is the limit up to which no sum
// can overflow.
type Lanes struct {
	Products int     `json:"products"`
	Mean     float64 `json:"mean"`
	Largest  float64 `json:"largest"`
}

// Kernels is the set of kernels that ran.
type Kernels struct {
	Name string `json:"name"`
	// UseAcc16 reports whether the set is faster where sums are proved.
	UseAcc16 bool `json:"use_chains"`
	// Depths are the shares of all layers' multiply-accumulates.
	Depths []DepthShare `json:"chains"`
}

// Answers is what the int8 network answers otherwise than the float network.
type Answers struct {
	// Changed is how many images; in CloseCalls of them the float network's answer led by less than
	// CloseMargin. Images are those where it led by most, at most MaxImages.
	Changed    int     `json:"changed"`
	CloseCalls int     `json:"close_calls"`
	Images     []Image `json:"pictures"`
	// Lost and Won are how many labelled images only the float or only the int8 network gets right.
	Lost int `json:"lost"`
	Won  int `json:"won"`
	// Cells are the cells of the confusion matrix that differ, or without labels of (float, int8) answers.
	Cells []Cell `json:"cells"`
}

const (
	// MaxImages is how many images a page shows.
	MaxImages = 48
	// CloseMargin is the lead in probability over int8's answer below which an answer was a close call.
	CloseMargin = 0.1
)

// Cell counts the images of a class (True, or Unlabelled) that are taken for another or the same one. Where
// no labels are known, From is the float network's answer, and Float is 0.
type Cell struct {
	From  int `json:"from"`
	To    int `json:"to"`
	Float int `json:"float"`
	Int8  int `json:"int8"`
}

// Image is one whose answer changed.
type Image struct {
	Name  string `json:"name"`
	Label int    `json:"label"` // quant.Unlabelled if not known
	// FloatClass and Int8Class are the two answers. Float and Int8 are the probabilities that each network
	// gives to FloatClass and to Int8Class, in this order.
	FloatClass int        `json:"float_class"`
	Int8Class  int        `json:"int8_class"`
	Float      [2]float64 `json:"float"`
	Int8       [2]float64 `json:"int8"`
	Thumbnail  Thumbnail  `json:"-"`
}

// Run is how it was made.
type Run struct {
	Version string `json:"version"`
	Seed    uint64 `json:"seed"`
	Model   string `json:"model"`
	// Command is quoted for a shell.
	Command string `json:"command"`
	// Settings are the options and files, Machine what it ran on.
	Settings []Setting `json:"settings"`
	Machine  []Setting `json:"machine"`
	// Seconds is how long it took; 0 is not measured.
	Seconds float64 `json:"seconds"`
}

// Setting is a line of a list.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
