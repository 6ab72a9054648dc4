/** Checks of a range and the expectations that demand the same of `min_value` and `max_value`: the import and the export read this one table. */
export const rangeExpectations = {
  between: 'expect_column_values_to_be_between',
  mean: 'expect_column_mean_to_be_between',
  std: 'expect_column_stdev_to_be_between',
  sum: 'expect_column_sum_to_be_between',
  min: 'expect_column_min_to_be_between',
  max: 'expect_column_max_to_be_between',
  distinct_count: 'expect_column_unique_value_count_to_be_between',
  distinct_share: 'expect_column_proportion_of_unique_values_to_be_between',
} as const;

/** Checks of a list and the expectations that demand the same of `value_set`. */
export const setExpectations = {
  accepted_values: 'expect_column_values_to_be_in_set',
  not_accepted_values: 'expect_column_values_to_not_be_in_set',
} as const;

/** Checks of the order of rows, by direction. */
export const orderExpectations = {
  increasing: 'expect_column_values_to_be_increasing',
  decreasing: 'expect_column_values_to_be_decreasing',
} as const;
