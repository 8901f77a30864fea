#include "igemm_vnni_amd64.h"

// What igemm_vnni_amd64.h leaves open, for sums in YMM registers: as for AVX2, so Y12 to Y14 are taken.

#define FETCH PREFETCHT1 (R12)

#define ORDER Y13
#define FLOOR minus127<>(SB)

#define PLUS_UNSIGNED(at, acc) ADD_UNSIGNED(at, acc)
#define PLUS_SIGNED(at, acc)   ADD_SIGNED(at, acc)

#define CONSTANTS EPILOGUE
