/**
 * Rows for one call of a kernel function that works row by row. V8 replaces a function by its optimised code only between
 * calls: one call for all rows of a task would run to its end in the code that was compiled first, which takes three
 * times as long, and of a build's few tasks that would be a large part.
 */
export const CALL_ROWS = 256
