// Nothing: the target that compiles std.h for the others needs a source.
