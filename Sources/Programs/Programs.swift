/// Nothing: whoever builds this target builds the programs that it depends on, beside each other.
private enum Programs {}
