/** A data form as lines of `name=value`, as --option and the arguments of configure take them. */
import type { DataForm } from '../../lib/forms/stanzas.js';
import type { Output } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';

export type PrintedForm = Readonly<
  Record<string, { values: readonly string[]; label?: string; options?: readonly string[] }>
>;

/** By field name without `pubsub#`. */
export function printedForm({ fields }: DataForm): PrintedForm {
  return Object.fromEntries(
    fields.flatMap(({ name, type, values, label, options }) =>
      name === undefined || type === 'hidden' || type === 'fixed'
        ? []
        : [
            [
              name.replace(/^pubsub#/, ''),
              {
                values,
                ...(label !== undefined && { label }),
                ...(options.length > 0 && { options: options.map(({ value }) => value) }),
              },
            ],
          ],
    ),
  );
}

export function renderForm(form: PrintedForm, { style }: Output): string {
  const line = (text: string): string => safeText(text, { singleLine: true });
  return Object.entries(form)
    .flatMap(([name, { values, options }]) => {
      const remark = options ? style.dim(`  (${line(options.join(', '))})`) : '';
      return (values.length === 0 ? [''] : values).map(
        (value, index) => `${line(name)}=${line(value)}${index === 0 ? remark : ''}`,
      );
    })
    .join('\n');
}
