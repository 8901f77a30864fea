package asm

// Features lists the features of this CPU that decide which sets it can run, as Linux names them in /proc/cpuinfo;
// empty where there is no assembly for the architecture.
func Features() []string { return archFeatures() }
