import { describe, expect, test } from 'vitest';
import { CancelWords } from '../../src/runtime/cancel-words.ts';

describe('CancelWords', () => {
  const pair = () => {
    const buffer = CancelWords.create();
    return { main: new CancelWords(buffer), worker: new CancelWords(buffer) };
  };

  test('the worker sees the requests that are to be cancelled, and no others', () => {
    const { main, worker } = pair();
    for (let request = 1; request <= 8; request++) main.post(request);
    for (let request = 1; request <= 8; request++) expect(worker.has(request)).toBe(true);
    expect(worker.has(9)).toBe(false);
  });

  test('the latest take the place of the first', () => {
    const { main, worker } = pair();
    for (let request = 1; request <= 9; request++) main.post(request);
    expect(worker.has(1)).toBe(false);
    expect(worker.has(9)).toBe(true);
  });

  test('a request that gets the number of an earlier one is not cancelled with it', () => {
    const { main, worker } = pair();
    main.post(7);
    main.post(7);
    main.withdraw(7);
    expect(worker.has(7)).toBe(false);
  });

  test('numbers have 32 bits', () => {
    const { main, worker } = pair();
    main.post(0xffff_fffe);
    expect(worker.has(0xffff_fffe)).toBe(true);
    main.withdraw(0xffff_fffe);
    expect(worker.has(0xffff_fffe)).toBe(false);
  });
});
