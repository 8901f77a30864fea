package weights

import (
	"fmt"
	"regexp"
	"strings"
)

// strangers are networks whose blocks have names of the family and more in them, by what their tensors are called.
var strangers = []struct{ pattern, looks string }{
	{`^layer0\.`, "an SE network of the first kind (layer0), whose stem pools without padding"},
	{`^layer\d+\.\d+\.conv2\.(conv|fc\d|bn\d)\.`, "a ResNeSt, whose convolutions split their attention"},
	{`^layer\d+\.\d+\.convs\.\d+\.`, "a Res2Net"},
	{`\.(channel|spatial|channel_attention|spatial_attention|channel_add|mask)\.`, "a network whose attention is not squeeze and excitation nor ECA"},
	{`\.prelu\.`, "a network with PReLU"},
	{`\.filt$`, "a network with blur pooling"},
	{`^final_conv\.`, "a RegNetZ"},
	{`^(backbone\.fpn|fpn|rpn|roi_heads|decode_head|aux_classifier)\.`, "a detector or a network for segmentation"},
}

// strange explains why the tensors of a network, or others of a model around it, cannot be used; nil if they may be.
func (x *candidate) strange() error {
	var tensors []string // by their names in every model around the network
	for root := x.prefix; ; root = parent(root) {
		for _, name := range x.c.Order {
			if rest, ok := strings.CutPrefix(name, root); ok && (root == x.prefix || x.free(name)) {
				tensors = append(tensors, rest)
			}
		}
		if root == "" {
			break
		}
	}
	for _, f := range strangers {
		if t := firstMatch(f.pattern, tensors); t != "" {
			return fmt.Errorf("looks like %s (it has %s), which does not run here; expected a plain ResNet, ResNeXt, SE or ECA network or RegNet", f.looks, t)
		}
	}
	if firstMatch(`\.running_mean$`, tensors) == "" {
		if t := firstMatch(`(^|\.)(bn1|norm1|bn|normalization)\.weight$`, tensors); t != "" {
			return fmt.Errorf("looks like a network with group or layer normalisation (it has %s and no running_mean), which does not run here; expected batch normalisation", t)
		}
	}
	return nil
}

// firstMatch is the first tensor that matches a pattern, or "".
func firstMatch(pattern string, tensors []string) string {
	p := regexp.MustCompile(pattern)
	for _, t := range tensors {
		if p.MatchString(t) {
			return t
		}
	}
	return ""
}
