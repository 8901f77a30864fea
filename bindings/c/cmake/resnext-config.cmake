# find_package(resnext) gives the targets resnext::resnext, the shared library, and where it is installed
# resnext::static. This file lies in LIBDIR/cmake/resnext and finds the rest from there.
get_filename_component(_resnext_libdir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
# LIBDIR is PREFIX/lib, or PREFIX/lib/TRIPLET.
find_path(_resnext_include resnext.h NO_DEFAULT_PATH NO_CACHE
	PATHS "${_resnext_libdir}/../include" "${_resnext_libdir}/../../include")
if(NOT _resnext_include)
	set(resnext_FOUND FALSE)
	set(resnext_NOT_FOUND_MESSAGE "resnext.h is not beside ${_resnext_libdir}")
	return()
endif()
if(NOT TARGET resnext::resnext)
	add_library(resnext::resnext SHARED IMPORTED)
	set_target_properties(resnext::resnext PROPERTIES
		IMPORTED_LOCATION "${_resnext_libdir}/libresnext.so"
		IMPORTED_SONAME "libresnext.so.0"
		INTERFACE_INCLUDE_DIRECTORIES "${_resnext_include}")
endif()
if(NOT TARGET resnext::static AND EXISTS "${_resnext_libdir}/libresnext.a")
	find_package(Threads REQUIRED)
	add_library(resnext::static STATIC IMPORTED)
	set_target_properties(resnext::static PROPERTIES
		IMPORTED_LOCATION "${_resnext_libdir}/libresnext.a"
		INTERFACE_INCLUDE_DIRECTORIES "${_resnext_include}"
		INTERFACE_LINK_LIBRARIES "Threads::Threads")
endif()
unset(_resnext_libdir)
