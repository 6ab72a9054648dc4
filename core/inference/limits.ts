/** How much one message may ask for. Bytes are bounded by whoever reads the message; these bound what its bytes can claim. */
export interface MessageLimits {
  /** Inputs, requested outputs and parameters, each. @default 1024 */
  readonly tensors: number;
  /** Dimensions of a tensor. NumPy has at most 64. @default 64 */
  readonly dimensions: number;
  /** Elements of a tensor. @default 268435456 */
  readonly elements: number;
}

export const messageLimits: MessageLimits = { tensors: 1024, dimensions: 64, elements: 2 ** 28 };
