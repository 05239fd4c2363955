# SCHAKEL_BUILD_STAMP: equal stamps mean that a plugin and the loader agree on every C++ type that crosses between them.
# A hash of the headers a plugin sees, the compiler, the standard library, Boost and nlohmann/json; not of the commit.
# Runs again whenever one of these headers changes or appears.
file(GLOB stamp_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/core/sdk/include/schakel/*.hpp ${CMAKE_SOURCE_DIR}/core/base/*.hpp
     ${CMAKE_SOURCE_DIR}/core/model/*.hpp)
list(SORT stamp_headers)
set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${stamp_headers})
set(stamp_text "")
foreach(header ${stamp_headers})
  file(SHA256 ${header} digest)
  file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${header})
  string(APPEND stamp_text "${relative} ${digest}\n")
endforeach()
if(NOT DEFINED SCHAKEL_LIBSTDCXX)
  file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/stamp_probe.cpp "#include <version>\n__GLIBCXX__ _GLIBCXX_RELEASE _GLIBCXX_USE_CXX11_ABI\n")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -E -P ${CMAKE_BINARY_DIR}/CMakeFiles/stamp_probe.cpp
                  OUTPUT_VARIABLE probe COMMAND_ERROR_IS_FATAL ANY)
  string(STRIP "${probe}" probe)
  string(REGEX REPLACE ".*\n" "" probe "${probe}")
  set(SCHAKEL_LIBSTDCXX "${probe}" CACHE INTERNAL "date, release and ABI of libstdc++")
endif()
string(APPEND stamp_text "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} libstdc++ ${SCHAKEL_LIBSTDCXX} "
       "boost ${Boost_VERSION} json ${nlohmann_json_VERSION} sanitize '${SCHAKEL_SANITIZE}' ${CMAKE_SYSTEM_PROCESSOR}")
string(SHA256 SCHAKEL_BUILD_STAMP "${stamp_text}")
string(SUBSTRING ${SCHAKEL_BUILD_STAMP} 0 32 SCHAKEL_BUILD_STAMP)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/stamp.txt CONTENT "@SCHAKEL_BUILD_STAMP@\n" @ONLY)
