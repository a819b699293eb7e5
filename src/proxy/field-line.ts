// The grammar of a header field, for all who read or write one (RFC 9110 sections 5.1, 5.5 and 5.6.2). A line that
// continues the one before (RFC 9112 section 5.2) begins with a blank and is none.

/** A field name, or a method. */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What a field value may not hold: control characters but the tab, and what is not latin-1. */
export const notInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** A whole line without its end: the name, and the value with the blanks behind it. */
export const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
