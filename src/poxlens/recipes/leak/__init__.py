"""What a split that leaks adds to a figure, shown on one table of images: what `poxlens data leak-demo` runs."""
