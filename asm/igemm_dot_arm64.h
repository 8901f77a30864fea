// The skeleton of the indirect GEMMs for ARMv8.2 and later. A tile is 4 pixels by a panel of channels;
// pixels that are left over (M modulo 4) go one by one.

// The whole call.
#define ARGS R0
#define IN R1
#define OUT R2 // advanced panel by panel, as are BIAS, MULT, PANEL and RES
#define BIAS R3
#define MULT R4
#define PANEL R5
#define CONST R6 // requantConst
#define LOCAL R7 // for the file that uses the skeleton
#define PANELS R8
#define RES R26

// One panel.
#define M R9
#define INOFF R10
#define OUTOFF R11
#define RESOFF R12

// One tile: the pixels, later their residuals; weights; taps.
#define B0 R13
#define B1 R14
#define B2 R15
#define B3 R16
#define W R17
#define TAP R19
#define TAPS R20

// One tap: the pixels, later where they go; what is left of K.
#define P0 R21
#define P1 R22
#define P2 R23
#define P3 R24
#define K R25

// After the taps.
#define EPILOGUE R19

// ADDRESSES takes four offsets from a table and makes addresses of them, ADDRESS one.
#define ADDRESSES(table, base, p0, p1, p2, p3) \
	MOVW 0(table), p0;  \
	MOVW 4(table), p1;  \
	MOVW 8(table), p2;  \
	MOVW 12(table), p3; \
	ADD  $16, table;    \
	ADD  base, p0;      \
	ADD  base, p1;      \
	ADD  base, p2;      \
	ADD  base, p3

#define ADDRESS(table, base, p) \
	MOVW.P 4(table), p; \
	ADD    base, p

#define START \
	MOVD IGEMMArgs_TapOff(ARGS), TAP; \
	MOVD IGEMMArgs_Taps(ARGS), TAPS;  \
	MOVD PANEL, W

// ROUNDING and RESIDUAL load what NARROW and ADD of the rows need. Modes 1 and 3 are those with signed
// bytes to store and to add.
#define ROUNDING \
	FMOVQ MAGIC_AT(CONST), FMAGIC;           \
	FMOVQ FLOOR_AT(CONST), FFLOOR;           \
	FMOVQ ZEROBITS_AT(CONST), FZEROBITS;     \
	CMP   $const_Signed, EPILOGUE;           \
	BNE   2(PC);                             \
	FMOVQ (ZEROBITS_AT+16)(CONST), FZEROBITS

#define RESIDUAL \
	FMOVQ SIGN_AT(CONST), FSIGN;             \
	FMOVQ EXPONENT_AT(CONST), FEXPONENT;     \
	FMOVS IGEMMArgs_ResMult(ARGS), FRESMULT; \
	FMOVQ BASE_AT(CONST), FBASE;             \
	CMP   $const_AddSigned, EPILOGUE;        \
	BNE   2(PC);                             \
	FMOVQ (BASE_AT+16)(CONST), FBASE

// The whole kernel. The file that uses it defines, for a TILE and for ONE pixel,
//	LOG_NR       log2 of the panel's channels
//	BEGIN_PANEL  what is done once for a panel
//	_SUMS        starts the sums
//	_K16         adds 16 consecutive k of a tap from P0..P3 and W, which it moves on
//	_K8          adds the last 8 k of a tap
//	_EACH(OP)    does OP for each row of sums
//	and as OP    SCALES, RESADDS, NARROWS, FLOORS (bounds by FLOOR), STORES
//
//	for each panel
//		for each 4 pixels, then each pixel that is left
//			sums = bias
//			for each tap
//				for each 16 k, then the 8 k that are left
//					sums += pixels * channels
//			scale, add the residual if the epilogue says so, narrow, store
#define IGEMM \
	MOVD        args+0(FP), ARGS               \
	MOVD        IGEMMArgs_In(ARGS), IN         \
	MOVD        IGEMMArgs_Out(ARGS), OUT       \
	MOVD        IGEMMArgs_Res(ARGS), RES       \
	MOVD        IGEMMArgs_Bias(ARGS), BIAS     \
	MOVD        IGEMMArgs_Mult(ARGS), MULT     \
	MOVD        IGEMMArgs_W(ARGS), PANEL       \
	MOVD        IGEMMArgs_Panels(ARGS), PANELS \
	MOVD        $requantConst<>(SB), CONST     \
	panel:                                     \
	BEGIN_PANEL                                \
	MOVD        IGEMMArgs_InOff(ARGS), INOFF   \
	MOVD        IGEMMArgs_OutOff(ARGS), OUTOFF \
	MOVD        IGEMMArgs_ResOff(ARGS), RESOFF \
	MOVD        IGEMMArgs_M(ARGS), M           \
	SUBS        $4, M                          \
	BLT         rest                           \
	tile:                                      \
	ADDRESSES(INOFF, IN, B0, B1, B2, B3)       \
	START                                      \
	TILE_SUMS                                  \
	tapTile:                                   \
	MOVW.P      4(TAP), K                      \
	ADD         K, B0, P0                      \
	ADD         K, B1, P1                      \
	ADD         K, B2, P2                      \
	ADD         K, B3, P3                      \
	MOVD        IGEMMArgs_K(ARGS), K           \
	SUBS        $16, K                         \
	BLT         tailTile                       \
	loopTile:                                  \
	TILE_K16                                   \
	SUBS        $16, K                         \
	BGE         loopTile                       \
	tailTile:                                  \
	TBZ         $3, K, tapTileEnd              \
	TILE_K8                                    \
	tapTileEnd:                                \
	SUBS        $1, TAPS                       \
	BNE         tapTile                        \
	ADDRESSES(OUTOFF, OUT, P0, P1, P2, P3)     \
	MOVWU       IGEMMArgs_Epilogue(ARGS), EPILOGUE \
	TILE_EACH(SCALES)                          \
	TBZ         $1, EPILOGUE, roundTile        \
	ADDRESSES(RESOFF, RES, B0, B1, B2, B3)     \
	RESIDUAL                                   \
	TILE_EACH(RESADDS)                         \
	roundTile:                                 \
	ROUNDING                                   \
	TILE_EACH(NARROWS)                         \
	CMP         $const_Signed, EPILOGUE        \
	BNE         storeTile                      \
	TILE_EACH(FLOORS)                          \
	storeTile:                                 \
	TILE_EACH(STORES)                          \
	SUBS        $4, M                          \
	BGE         tile                           \
	rest:                                      \
	ADDS        $4, M                          \
	BEQ         panelEnd                       \
	one:                                       \
	ADDRESS(INOFF, IN, B0)                     \
	START                                      \
	ONE_SUMS                                   \
	tapOne:                                    \
	MOVW.P      4(TAP), K                      \
	ADD         K, B0, P0                      \
	MOVD        IGEMMArgs_K(ARGS), K           \
	SUBS        $16, K                         \
	BLT         tailOne                        \
	loopOne:                                   \
	ONE_K16                                    \
	SUBS        $16, K                         \
	BGE         loopOne                        \
	tailOne:                                   \
	TBZ         $3, K, tapOneEnd               \
	ONE_K8                                     \
	tapOneEnd:                                 \
	SUBS        $1, TAPS                       \
	BNE         tapOne                         \
	ADDRESS(OUTOFF, OUT, P0)                   \
	MOVWU       IGEMMArgs_Epilogue(ARGS), EPILOGUE \
	ONE_EACH(SCALES)                           \
	TBZ         $1, EPILOGUE, roundOne         \
	ADDRESS(RESOFF, RES, B0)                   \
	RESIDUAL                                   \
	ONE_EACH(RESADDS)                          \
	roundOne:                                  \
	ROUNDING                                   \
	ONE_EACH(NARROWS)                          \
	CMP         $const_Signed, EPILOGUE        \
	BNE         storeOne                       \
	ONE_EACH(FLOORS)                           \
	storeOne:                                  \
	ONE_EACH(STORES)                           \
	SUBS        $1, M                          \
	BNE         one                            \
	panelEnd:                                  \
	MOVD        IGEMMArgs_K(ARGS), K           \
	MOVD        IGEMMArgs_Taps(ARGS), TAPS     \
	MUL         TAPS, K                        \
	ADD         K<<LOG_NR, PANEL               \
	ADD         $(1<<LOG_NR), OUT              \
	ADD         $(1<<LOG_NR), RES              \
	ADD         $(4<<LOG_NR), BIAS             \
	ADD         $(4<<LOG_NR), MULT             \
	SUBS        $1, PANELS                     \
	BNE         panel                          \
	RET
