// Stands for what a package loads for its effects, and user space has elsewhere.
export {}
