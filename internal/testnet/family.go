package testnet

// Family are names of published networks, one of each width, kind of block, stem, shortcut and gate; what differs from one
// of them in its number of blocks alone, or in how its parts are put together, is left out.
func Family() []string {
	return []string{
		"resnext29_16x64d", "resnext29_8x64d", "resnext50_2x40d", "resnext50_32x4d", "resnext50_4x24d", "resnext50_8x14d",
		"resnext101_2x40d", "resnext101_2x64d", "resnext101_32x16d", "resnext101_32x32d", "resnext101_32x48d", "resnext101_32x4d",
		"resnext101_32x8d", "resnext101_4x24d", "resnext101_64x4d", "resnext101_8x14d",
		"resnet50", "resnet101", "resnet152", "wide_resnet50_2", "wide_resnet101_2",
		"resnet18", "resnet20", "resnet34d", "resnet50_v1", "resnet50s", "resnet26t", "resnetaa50", "resnetrs50",
		"seresnet18", "seresnext50_32x4d", "ecaresnet26t", "ecaresnext26t_32x4d",
		"regnet_x_400mf", "regnet_x_3_2gf", "regnetx_008", "regnet_y_400mf", "regnety_032",
	}
}
