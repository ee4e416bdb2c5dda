/** What went through an exchange since it was made. */
export class ExchangeCounters {
  publishedIn = 0;
  publishedOut = 0;
  returnedUnroutable = 0;
  droppedUnroutable = 0;
}
