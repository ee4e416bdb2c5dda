/** The data directory cannot be used. `message` is one line for the operator. */
export class DataDirError extends Error {}
