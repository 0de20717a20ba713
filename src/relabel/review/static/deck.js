// The cards in a person's hand: one is shown, the next waits, answers go out one after another. Nothing here knows the page.

import { get, post } from "./api.js";
import { drawn } from "./dom.js";

export class Deck {
  /** view: show(card), loading(), empty(), unreachable(error), saving(answer), saved(answer, reply), failed(error, answer, others), undone(decision). */
  constructor(view) {
    this.view = view;
    this.person = null;
    this.current = null; // the card that is shown
    this.waiting = []; // cards that come before new ones
    this.ahead = null; // promise of the next card
    this.known = null; // that card, once it is here
    this.outbox = []; // answers that are not confirmed
    this.unsure = new Map(); // card -> names of its answers that were not confirmed, though the server may have kept them
    this.sent = Promise.resolve(true); // ends when the outbox is empty (true) or stuck (false)
    this.sending = false;
    this.again = null; // what did not arrive: how to try it again
    this.decisions = []; // ids that undo takes back, the last one last
    this.list = null; // ids to work through, in place of the queue
    this.looked = new Set(); // cards that were looked up
    this.turn = 0;
  }

  async begin(person) {
    this.person = person;
    const { decisions } = await get("/api/decisions", { reviewer: person.reviewer });
    this.decisions = decisions.map((one) => one.id).reverse();
    Object.assign(this, { ahead: null, known: null, waiting: [], list: null });
    await this.advance();
  }

  get held() {
    return [this.current, this.known, ...this.waiting, ...(this.resumed ?? [])].filter(Boolean).map((card) => card.id);
  }

  /** Show the next card. */
  async advance() {
    const turn = ++this.turn;
    this.current = null;
    let card = this.waiting.shift();
    if (!card) {
      this.view.loading();
      try {
        card = (this.ahead && (await this.ahead)) || (await this.fetched());
      } catch (error) {
        this.ahead = null;
        if (turn !== this.turn) return;
        this.again = () => this.advance();
        this.view.unreachable(error);
        return;
      }
      Object.assign(this, { ahead: null, known: null });
      if (turn !== this.turn) {
        if (card) this.waiting.push(card);
        return;
      }
    }
    if (card) this.put(card);
    else if (this.list) this.endList();
    else this.view.empty();
  }

  /** Show a card, and get the next one ready. */
  put(card) {
    this.current = card;
    this.since = performance.now();
    this.view.show(card);
    if (this.ahead) return;
    const ahead = this.fetched();
    this.ahead = ahead;
    ahead.then(
      (next) => this.ahead === ahead && (this.known = next),
      () => this.ahead === ahead && (this.ahead = null),
    );
  }

  async fetched() {
    if (this.list) {
      const id = this.list.shift();
      if (!id) return null;
      this.looked.add(id);
      try {
        return (await get(`/api/card/${encodeURIComponent(id)}`, { reviewer: this.person.reviewer })).card;
      } catch (error) {
        this.list?.unshift(id);
        throw error;
      }
    }
    const besides = [...this.held, ...this.outbox.map((one) => one.card.id)].slice(0, 20);
    return (await post("/api/next", { ...this.person, besides })).card;
  }

  /** Work through cards that were looked up; the queue goes on after them. */
  async open(ids) {
    this.again = null;
    this.resumed ??= [this.current, this.known, ...this.waiting].filter((card) => card && !this.looked.has(card.id));
    Object.assign(this, { list: [...ids], waiting: [], ahead: null, known: null });
    await this.advance();
  }

  /** Go back to the queue. */
  async endList() {
    Object.assign(this, { list: null, waiting: this.resumed ?? [], resumed: null, ahead: null, known: null });
    await this.advance();
  }

  /** Give an answer: a class, "neither", or null for a skip. False where there is no card to answer. */
  answer(value, name) {
    if (!this.current) return false;
    const card = this.current;
    const seconds = Math.min(86400, (performance.now() - this.since) / 1000);
    const one = { person: this.person, card, value, name, seconds, once: drawn(), queued: !this.looked.has(card.id) };
    one.instead = this.unsure.get(card.id) ?? [];
    this.again = null;
    this.hand(one);
    return true;
  }

  /** Try again what did not arrive; the server knows an answer by its name, so that it counts once. See `back` for one that was refused. */
  retry() {
    const again = this.again;
    this.again = null;
    again?.();
  }

  hand(one) {
    this.outbox.push(one);
    this.view.saving(one);
    if (!this.current || this.current.id === one.card.id) this.advance();
    if (!this.sending) this.sent = this.send();
  }

  /** Send what waits, one after another; false where one did not arrive. */
  async send() {
    this.sending = true;
    while (this.outbox.length) {
      const one = this.outbox[0];
      const { person, card, value, once, instead, seconds, queued } = one;
      const why = card.why?.name ?? "";
      try {
        const reply = await post("/api/decide", { ...person, card: card.id, answer: value, once, instead, seconds, queued, why });
        this.outbox.shift();
        this.unsure.delete(card.id);
        this.decisions.push(reply.saved.id);
        this.view.saved(one, reply);
      } catch (error) {
        this.sending = false;
        this.back(error);
        return false;
      }
    }
    this.sending = false;
    return true;
  }

  /** Bring the cards of answers that did not arrive back, the first one to the top. */
  back(error) {
    const [first, ...others] = this.outbox.splice(0);
    const cards = [...others.map((one) => one.card), this.current].filter((card) => card && card.id !== first.card.id);
    this.waiting.unshift(...cards);
    this.turn += 1;
    this.unsure.set(first.card.id, [...first.instead, first.once].slice(-20));
    const anew = error.status === 409 ? { once: drawn(), instead: this.unsure.get(first.card.id) } : {}; // that name is spent
    this.again = () => this.hand({ ...first, ...anew });
    this.put(first.card);
    this.view.failed(error, first, others.length);
  }

  /** Take the last decision back, and show its card. */
  async undo() {
    const waits = this.sending;
    if (!(await this.sent) && waits) return; // what should be taken back did not arrive: its card is back, and says so
    const decision = this.decisions.at(-1);
    if (decision === undefined || this.undoing) return;
    this.undoing = true;
    try {
      const { withdrawn, card } = await post("/api/undo", { ...this.person, decision });
      this.forget(decision);
      if (this.current && this.current.id !== card.id) this.waiting.unshift(this.current);
      this.turn += 1;
      this.again = null;
      this.put(card);
      this.view.undone(withdrawn);
    } catch (error) {
      this.again = () => this.undo();
      this.view.failed(error, null, 0);
    } finally {
      this.undoing = false;
    }
  }

  forget(decision) {
    this.decisions = this.decisions.filter((one) => one !== decision);
  }
}
