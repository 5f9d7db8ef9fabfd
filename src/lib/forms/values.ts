/** Reading a data form: values by field name. */
import type { DataForm } from './stanzas.js';

/** What the form is about (XEP-0068): the value of its hidden `FORM_TYPE`. */
export function formTypeOf(form: Pick<DataForm, 'fields'>): string | undefined {
  return form.fields.find(({ name }) => name === 'FORM_TYPE')?.values[0];
}

/** The values of a field; none when there is no such field. */
export function formValues(form: Pick<DataForm, 'fields'>, name: string): readonly string[] {
  return form.fields.find((field) => field.name === name)?.values ?? [];
}

/** The first value of a field. */
export function formValue(form: Pick<DataForm, 'fields'>, name: string): string | undefined {
  return formValues(form, name)[0];
}

/** The rows of a form of type `result` with several items (XEP-0004 §3.4), each as values by field name. */
export function formRows(form: DataForm): Record<string, readonly string[]>[] {
  return form.items.map(({ fields }) =>
    Object.fromEntries(fields.flatMap(({ name, values }) => (name === undefined ? [] : [[name, values]]))),
  );
}
