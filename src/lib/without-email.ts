// Text from outside without anybody's address in it: organisations are often named after their owner.

const address = /([\p{L}\p{N}])[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu;

/** Every e-mail address becomes its first letter and `…@…`. */
export const withoutEmail = (text: string): string => text.replace(address, "$1…@…");
