/** Where new agents go unless told otherwise. */
export const LOCAL_REPO = 'local'
