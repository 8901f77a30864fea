// Command resnext runs int8 models of the ResNet family: it classifies images, inspects model files, measures speed
// and tests the CPU. It is the tool for the device; calib makes the models.
package main

import (
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
