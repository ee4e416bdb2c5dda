/** Bodies of durable messages from this size on go to disk while they are coming. */
export const stagedBytesMin = 8 * 1024 * 1024;

/**
 * A large body on its way to disk before all of it has come, so that the commit that is to make its message durable has little left to write:
 * everybody else's confirms wait for that commit, too.
 */
export interface BodyStage {
  /** The message that it becomes has this id. */
  readonly id: number;
  /** More of it has come. */
  grown(): void;
  /** It becomes no durable message. */
  discard(): void;
}
