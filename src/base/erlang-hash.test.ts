import assert from 'node:assert/strict';
import { test } from 'node:test';
import { erlangHash, type ErlangTerm } from './erlang-hash.ts';

const atom = (name: string): ErlangTerm => ({ atom: name });
const tuple = (...terms: ErlangTerm[]): ErlangTerm => ({ tuple: terms });

test('terms have the hashes of erlang:phash2', () => {
  // Made with erlang:phash2(Term, 1 bsl 32) of OTP 25.
  const hashes: [ErlangTerm, number][] = [
    [0, 3_175_731_469],
    [1, 539_485_162],
    [-7, 2_740_599_282],
    [134_217_727, 4_273_352_567],
    [134_217_728, 2_562_491_755],
    [-134_217_728, 874_979_335],
    [-134_217_729, 1_418_916_782],
    [18_446_744_073_709_551_615n, 321_870_806],
    [{ float: 1.5 }, 2_023_646_235],
    [{ float: -0 }, 423_528_920],
    [atom('longstr'), 56_945_346],
    ['', 147_926_629],
    ['abc', 1_306_188_027],
    ['abcdefghijklmnopqrst', 1_672_357_388],
    [tuple(), 221_703_996],
    [tuple(atom('a'), atom('b')), 1_980_325_998],
    [[], 3_468_870_702],
    [[1, 2, 3], 4_186_538_188],
    [[1, 2, 3, 4, 5, atom('a')], 3_182_482_923],
    [[300], 3_723_642_275],
    [['a', []], 2_620_274_097],
    [[tuple('z', atom('long'), 1)], 2_079_614_723],
  ];
  for (const [term, hash] of hashes)
    assert.equal(
      erlangHash(term),
      hash,
      JSON.stringify(term, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    );
});
