import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { fillForm, parseAnswers, unansweredFields } from '../../../src/lib/forms/answers.js';
import { DataForm } from '../../../src/lib/forms/stanzas.js';
import { formRows, formTypeOf, formValue, formValues } from '../../../src/lib/forms/values.js';
import { loadFixtures } from '../../support/fixtures.js';

function fixture(name: string): DataForm {
  const found = loadFixtures('forms').find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no fixture ${name}`);
  return DataForm.decode(found.xml);
}

const field = (facts: { name: string; type?: string; isRequired?: boolean; values?: string[] }) => ({
  type: 'text-single',
  isRequired: false,
  values: [],
  options: [],
  ...facts,
});
const formOf = (...fields: DataForm['fields']): DataForm => ({
  type: 'form',
  instructions: [],
  fields,
  items: [],
});

describe('parseAnswers', () => {
  it('collects values by key, and splits at the first equals sign', () => {
    expect(parseAnswers(['a=1', 'b=x=y', 'a=2', 'c='])).toEqual({ a: ['1', '2'], b: ['x=y'], c: [''] });
  });

  it.each(['novalue', '=x'])('refuses %s', (word) => {
    expect(() => parseAnswers([word])).toThrow(UsageError);
  });
});

describe('fillForm', () => {
  const form = fixture('registration');

  it('answers, keeps hidden fields and defaults, and leaves out what is fixed', () => {
    expect(fillForm(form, { username: ['romeo'], ocr: ['7nHL3'] })).toEqual({
      type: 'submit',
      fields: [
        { name: 'FORM_TYPE', type: 'hidden', values: ['jabber:iq:register'] },
        { name: 'username', values: ['romeo'] },
        { name: 'ocr', values: ['7nHL3'] },
        { name: 'colour', values: ['red'] },
      ],
    });
    expect(DataForm.encode(fillForm(form, { username: ['romeo'], ocr: ['7nHL3'] })).toString()).toContain(
      '<field var="username"><value>romeo</value></field>',
    );
  });

  it.each([
    ['an unknown field', { name: ['x'] }, /no field "name"/],
    ['a required field left empty', { username: ['romeo'] }, /"ocr" must be filled in: Fill in what you see/],
    ['a choice that is not offered', { username: ['a'], ocr: ['b'], colour: ['green'] }, /one of red, blue/],
    ['two values for one', { username: ['a', 'b'], ocr: ['c'] }, /takes one value, not 2/],
    ['a newline in a line', { username: ['a\nb'], ocr: ['c'] }, /takes a single line/],
    ['the name of a property of every object', { constructor: ['x'] }, /no field "constructor"/],
  ])('refuses %s', (_, answers, message) => {
    expect(() => fillForm(form, answers)).toThrow(message);
    expect(() => fillForm(form, answers)).toThrow(UsageError);
  });

  it('writes booleans and addresses as the form wants them', () => {
    const typed = formOf(
      field({ name: 'on', type: 'boolean' }),
      field({ name: 'off', type: 'boolean', values: ['1'] }),
      field({ name: 'who', type: 'jid-multi' }),
      field({ name: 'text', type: 'text-multi' }),
      field({ name: 'unused' }),
    );
    const filled = fillForm(typed, {
      on: ['yes'],
      off: ['false'],
      who: ['A@B.test', 'c.test'],
      text: ['one\ntwo'],
    });
    expect(filled.fields).toEqual([
      { name: 'on', values: ['1'] },
      { name: 'off', values: ['0'] },
      { name: 'who', values: ['a@b.test', 'c.test'] },
      { name: 'text', values: ['one\ntwo'] },
    ]);
    expect(() => fillForm(typed, { on: ['maybe'] })).toThrow(/takes yes or no/);
  });
});

describe('unansweredFields', () => {
  it('names what has to be asked for', () => {
    const form = fixture('registration');
    expect(unansweredFields(form, { ocr: ['x'] }).map(({ name }) => name)).toEqual(['username']);
  });
});

describe('reading a form', () => {
  it('gives type, values and rows', () => {
    const form = fixture('registration');
    expect(formTypeOf(form)).toBe('jabber:iq:register');
    expect(formValue(form, 'colour')).toBe('red');
    expect(formValues(form, 'nothing')).toEqual([]);
    expect(formRows(fixture('search-result'))).toEqual([
      { name: ['Comune di Verona'], url: ['http://www.comune.verona.it/'] },
      { name: ['Universita degli Studi di Verona'] },
    ]);
  });
});
