import { expect, test } from 'vitest';
import { Settings } from '../../src/session/index.ts';

test('SET is undone by a rollback, SET LOCAL by the end', () => {
  const settings = new Settings(new Map(), () => {});
  settings.set('work_mem', '1MB', false);
  settings.commit();
  settings.set('work_mem', '2MB', false);
  settings.rollback();
  expect(settings.get('work_mem')).toBe('1MB');
  settings.set('work_mem', '3MB', true);
  expect(settings.get('work_mem')).toBe('3MB');
  settings.commit();
  expect(settings.get('work_mem')).toBe('1MB');
});

test('a rollback to a savepoint undoes what was set since', () => {
  const settings = new Settings(new Map(), () => {});
  const start = settings.mark;
  settings.set('work_mem', '2MB', false);
  const mark = settings.mark;
  settings.set('work_mem', '3MB', false);
  settings.rollback(mark);
  expect(settings.get('work_mem')).toBe('2MB');
  settings.rollback(start);
  expect(settings.get('work_mem')).toBe('4MB');
  settings.set('work_mem', '2MB', false);
  settings.commit();
  expect(settings.get('work_mem')).toBe('2MB');
});

test('a change of a reported setting tells the value it had', () => {
  const heard: string[] = [];
  const settings = new Settings(new Map(), (name, before) => heard.push(`${name}=${before}`));
  settings.set('APPLICATION_NAME', 'a', false);
  settings.set('application_name', 'a', false);
  settings.set('application_name', 'b', false);
  settings.set('work_mem', '2MB', false);
  expect(heard).toEqual(['application_name=', 'application_name=a']);
});
