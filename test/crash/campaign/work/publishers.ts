/** Who publishes, by the numbers that the ledger knows them by; those of `publish` are 0 and up. */
export const publishers = {
  consumer: 40,
  admin: 41,
  transactions: 42,
  audit: 43,
  returning: 44,
  quorum: 45,
  quorumAll: 48,
  retries: 46,
  held: 47,
  mqtt: 50,
  mqttBarrier: 52,
  stomp: 54,
} as const;
