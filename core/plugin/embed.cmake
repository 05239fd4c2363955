# Turns a text file into a C++ raw string literal that a source file includes.
file(READ ${IN} text)
file(WRITE ${OUT} "R\"schema(${text})schema\"\n")
