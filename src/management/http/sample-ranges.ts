import { badRequest } from './reply.ts';

/** For how long back and how far apart samples are wanted. */
export interface SampleRange {
  readonly ageSeconds: number;
  readonly incrementSeconds: number;
}

/** The ranges of a request; null where only the present rate is wanted. [RabbitMQ docs: HTTP API, lengths_age, msg_rates_age ...] */
export interface SampleRanges {
  readonly lengths: SampleRange | null;
  readonly messageRates: SampleRange | null;
  readonly dataRates: SampleRange | null;
  readonly nodeStats: SampleRange | null;
}

export const noRanges: SampleRanges = { lengths: null, messageRates: null, dataRates: null, nodeStats: null };

const samplesMax = 5000;

/** @throws HttpError 400 for a range that makes no sense */
export function sampleRangesOf(query: URLSearchParams): SampleRanges {
  return {
    lengths: rangeOf(query, 'lengths'),
    messageRates: rangeOf(query, 'msg_rates'),
    dataRates: rangeOf(query, 'data_rates'),
    nodeStats: rangeOf(query, 'node_stats'),
  };
}

function rangeOf(query: URLSearchParams, prefix: string): SampleRange | null {
  const age = numberOf(query.get(`${prefix}_age`));
  const increment = numberOf(query.get(`${prefix}_incr`));
  if (age === null || increment === null) return null;
  if (age <= 0 || increment <= 0 || age / increment > samplesMax)
    throw badRequest(`Invalid range parameters: age ${age}, incr ${increment}`);
  return { ageSeconds: age, incrementSeconds: increment };
}

function numberOf(text: string | null): number | null {
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : null;
}
