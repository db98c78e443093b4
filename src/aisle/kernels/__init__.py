"""Compiled loops: linkage trees and silhouettes. Arrays in, arrays out."""
