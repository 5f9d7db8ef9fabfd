/** A report in the format that was asked for. */
import type { Style } from '../../output/output.js';
import { renderHtml } from './render-html.js';
import { renderJunit } from './render-junit.js';
import { renderMarkdown } from './render-markdown.js';
import { renderPrometheus } from './render-prometheus.js';
import { renderText } from './render-text.js';
import type { ProbeReport } from './report.js';

export const reportFormats = ['text', 'json', 'junit', 'html', 'markdown', 'prometheus'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export interface RenderOptions {
  style: Style;
  columns: number;
  isComplete: boolean;
  isStrict: boolean;
}

export function renderReport(report: ProbeReport, format: ReportFormat, options: RenderOptions): string {
  switch (format) {
    case 'text':
      return renderText(report, options);
    case 'json':
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case 'junit':
      return renderJunit(report, options.isStrict);
    case 'html':
      return renderHtml(report);
    case 'markdown':
      return renderMarkdown(report);
    case 'prometheus':
      return renderPrometheus(report);
  }
}
