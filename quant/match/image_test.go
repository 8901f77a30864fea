package match

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// turned is an image whose channels come in reverse.
func turned(image *Node) *Image {
	return &Image{Of: image, Planes: []Plane{{2, 1, 0}, {1, 1, 0}, {0, 1, 0}}}
}

func TestTurnedImage(t *testing.T) {
	output, p := tiny()
	p["image"].Image = turned(p["image"])
	w := p["stem"].Weight.Data // [4,3,3,3]
	for i := range w {
		w[i] = float32(i)
	}
	n, err := Match(output, 0, 0)
	require.NoError(t, err)
	require.Nil(t, n.Normalisation)
	require.Equal(t, []string{"takes BGR; the stem's channels are turned"}, n.Notes)
	got := n.Layers["stem"].Weight
	for i := range got {
		filter, channel, tap := i/27, i/9%3, i%9
		require.EqualValues(t, filter*27+(2-channel)*9+tap, got[i])
	}
	require.EqualValues(t, 0, w[0], "the graph's own weights stay")
}

func TestTurnedImageRefuses(t *testing.T) {
	output, p := tiny()
	p["image"].Image = turned(p["image"])
	p["stem"].Weight = &Tensor{[]int{4, 1, 3, 3}, make([]float32, 36)}
	_, err := Match(output, 0, 0)
	require.ErrorContains(t, err, "stem: the stem takes 1 channels in 1 groups; expected 3 channels in one")
}

// The image of one input in two preparations is no image that a network of the family has.
func TestImageInTwoWays(t *testing.T) {
	output, p := tiny()
	p["image"].Image = turned(p["image"])
	other := &Node{Op: Input, Title: "scaled", Image: turned(p["image"])}
	p["reduce"].In[0] = then(Add, "mix", p["reduce"].In[0], other)
	_, err := Match(output, 0, 0)
	require.ErrorContains(t, err, "give the image in two ways")
}
