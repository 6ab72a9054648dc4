/**
 * The shape a server should show for the model's. Triton and MLServer have one row a request and at least one dimension for a row: they
 * serve a vector, such as the labels of a classifier, as a column of as many rows. That is the same values in the same order.
 * @returns the column's shape where `served` is one and `model` a vector, else `model`
 */
export function servedShape<Size extends number | string>(
  model: readonly Size[],
  served: readonly (number | string)[],
): readonly (Size | 1)[] {
  return model.length === 1 && served.length === 2 && served[1] === 1 ? [...model, 1] : model;
}
