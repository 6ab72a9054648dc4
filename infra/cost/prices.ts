/** What one of something costs for an hour in us-east-1, in dollars, on demand, before taxes. */
export interface Price {
  readonly dollars: number;
  /** Whose word that is, and of when. */
  readonly source: string;
}

const eks = 'https://cloudburn.io/blog/amazon-eks-pricing of 2026-03-13, after the pricing page of EKS';
const network = 'https://cloudburn.io/blog/aws-nat-gateway-pricing of 2026-02-24';
/** AWS's own table for its benchmarks. The file has no date; its newest types are of 2024. */
const benchmarks = 'aws-samples/foundation-model-benchmarking-tool, src/fmbench/configs/pricing.yml at 00ef155';

/**
 * Few, and at second hand: AWS's price list takes the network, which a synthesis does without. What is not here is told as not known, never guessed: so of serverless endpoints,
 * for whose memory no table was found that says a price for each size and its date. An instance costs the same for requests, a queue and a batch.
 */
export const prices: Readonly<Record<string, Price>> = {
  'EKS control plane': { dollars: 0.1, source: eks },
  'NAT gateway': { dollars: 0.045, source: network },
  'public IPv4 address': { dollars: 0.005, source: network },
  'ml.m5.xlarge': { dollars: 0.23, source: benchmarks },
  'ml.g5.xlarge': { dollars: 1.4084, source: benchmarks },
  'ml.g5.2xlarge': { dollars: 1.515, source: benchmarks },
  'ml.g5.12xlarge': { dollars: 7.09, source: benchmarks },
  'ml.g5.48xlarge': { dollars: 20.36, source: benchmarks },
  'ml.g6.2xlarge': { dollars: 1.222, source: benchmarks },
  'ml.g6.12xlarge': { dollars: 5.752, source: benchmarks },
  'ml.g6.48xlarge': { dollars: 16.688, source: benchmarks },
  'ml.inf2.xlarge': { dollars: 0.99, source: benchmarks },
  'ml.p5.48xlarge': { dollars: 113.068, source: benchmarks },
  'm5.xlarge': { dollars: 0.192, source: benchmarks },
  'g5.xlarge': { dollars: 1.006, source: benchmarks },
  'g5.2xlarge': { dollars: 1.212, source: benchmarks },
  'g5.12xlarge': { dollars: 5.672, source: benchmarks },
  'g6.2xlarge': { dollars: 0.9776, source: benchmarks },
  'g6.12xlarge': { dollars: 4.6016, source: benchmarks },
  'g6.48xlarge': { dollars: 13.3504, source: benchmarks },
};
