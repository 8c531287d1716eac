/* MD5 (RFC 1321) of many buffers at once: the names that DVC gives to objects, not a defence.
 *
 * Each step of MD5 waits for the one before it, so one stream leaves most of a core idle. Eight go
 * side by side in vectors that any x86-64 and any 64-bit ARM has. Optional: without it the names
 * are made by hashlib, and are equal.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#if (defined(__GNUC__) || defined(__clang__)) && defined(__BYTE_ORDER__) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HAVE_VECTORS 1
#endif

#ifdef HAVE_VECTORS

#define LANES 8
#define BLOCK 64
#define MOST 100000 /* buffers of one call */

typedef uint32_t Vector __attribute__((vector_size(4 * LANES)));

typedef struct {
    const unsigned char *data; /* what is left of it */
    size_t left, size;         /* bytes left, and of all */
    Py_ssize_t number;         /* which buffer it is, -1: none */
} Lane;

static const uint32_t FIRST[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

static const uint32_t K[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

#define TURN(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
#define F(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define G(b, c, d) ((c) ^ ((d) & ((b) ^ (c))))
#define H(b, c, d) ((b) ^ (c) ^ (d))
#define I(b, c, d) ((c) ^ ((b) | ~(d)))

#define STEP(f, a, b, c, d, word, n, i)           \
    do {                                          \
        a += f(b, c, d) + w[(word) & 15] + K[i];  \
        a = TURN(a, n) + b;                       \
    } while (0)

/* Steps i to i+3; the words they take begin with `word` and are `by` apart. */
#define FOUR(f, i, word, by, n0, n1, n2, n3)            \
    do {                                                \
        STEP(f, a, b, c, d, (word), n0, (i));           \
        STEP(f, d, a, b, c, (word) + (by), n1, (i) + 1); \
        STEP(f, c, d, a, b, (word) + 2 * (by), n2, (i) + 2); \
        STEP(f, b, c, d, a, (word) + 3 * (by), n3, (i) + 3); \
    } while (0)

#define ROUND(f, i, word, by, n0, n1, n2, n3)                         \
    do {                                                              \
        FOUR(f, (i), (word), by, n0, n1, n2, n3);                     \
        FOUR(f, (i) + 4, (word) + 4 * (by), by, n0, n1, n2, n3);      \
        FOUR(f, (i) + 8, (word) + 8 * (by), by, n0, n1, n2, n3);      \
        FOUR(f, (i) + 12, (word) + 12 * (by), by, n0, n1, n2, n3);    \
    } while (0)

/* Take `count` blocks of every lane. */
static void
blocks(Vector state[4], const unsigned char *const data[LANES], size_t count)
{
    Vector w[16];
    uint32_t words[16][LANES];
    for (size_t at = 0; count; count--, at += BLOCK) {
        Vector a = state[0], b = state[1], c = state[2], d = state[3];
        for (int lane = 0; lane < LANES; lane++)
            for (int i = 0; i < 16; i++)
                memcpy(&words[i][lane], data[lane] + at + 4 * i, 4);
        memcpy(w, words, sizeof w);
        ROUND(F, 0, 0, 1, 7, 12, 17, 22);
        ROUND(G, 16, 1, 5, 5, 9, 14, 20);
        ROUND(H, 32, 5, 3, 4, 11, 16, 23);
        ROUND(I, 48, 0, 7, 6, 10, 15, 21);
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
    }
}

/* Take what is less than a block, the padding and the length, of one lane alone. */
static void
finish(const Vector state[4], int at, const Lane *lane, unsigned char digest[16])
{
    unsigned char tail[2 * BLOCK] = {0};
    const unsigned char *same[LANES];
    Vector own[4];
    size_t size = lane->left < 56 ? BLOCK : 2 * BLOCK;
    uint64_t bits = (uint64_t)lane->size * 8;
    if (lane->left)
        memcpy(tail, lane->data, lane->left);
    tail[lane->left] = 0x80;
    memcpy(tail + size - 8, &bits, 8);
    for (int i = 0; i < LANES; i++)
        same[i] = tail;
    memcpy(own, state, sizeof own);
    blocks(own, same, size / BLOCK);
    for (int i = 0; i < 4; i++) {
        uint32_t word = own[i][at];
        memcpy(digest + 4 * i, &word, 4);
    }
}

static void
digest_all(const Py_buffer *buffers, Py_ssize_t count, unsigned char (*digests)[16])
{
    Vector state[4];
    Lane lanes[LANES];
    Py_ssize_t next = 0;
    for (int lane = 0; lane < LANES; lane++)
        lanes[lane].number = -1;
    for (;;) {
        const unsigned char *data[LANES], *any = NULL;
        size_t together = 0;
        for (int lane = 0; lane < LANES; lane++) {
            Lane *one = &lanes[lane];
            while (one->number < 0 && next < count) {
                one->data = buffers[next].buf;
                one->left = one->size = (size_t)buffers[next].len;
                one->number = next++;
                for (int i = 0; i < 4; i++)
                    state[i][lane] = FIRST[i];
                if (one->left < BLOCK) {
                    finish(state, lane, one, digests[one->number]);
                    one->number = -1;
                }
            }
            if (one->number >= 0 && (!any || one->left / BLOCK < together)) {
                together = one->left / BLOCK;
                any = one->data;
            }
        }
        if (!any)
            return;
        for (int lane = 0; lane < LANES; lane++) /* an idle lane looks at what another takes */
            data[lane] = lanes[lane].number < 0 ? any : lanes[lane].data;
        blocks(state, data, together);
        for (int lane = 0; lane < LANES; lane++) {
            Lane *one = &lanes[lane];
            if (one->number < 0)
                continue;
            one->data += together * BLOCK;
            one->left -= together * BLOCK;
            if (one->left < BLOCK) {
                finish(state, lane, one, digests[one->number]);
                one->number = -1;
            }
        }
    }
}

static PyObject *
hex_of(const unsigned char digest[16])
{
    static const char digits[] = "0123456789abcdef";
    char text[32];
    for (int i = 0; i < 16; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, 32);
}

static PyObject *
md5_digests(PyObject *module, PyObject *arg)
{
    PyObject *given = PySequence_Tuple(arg);
    PyObject *result = NULL;
    Py_buffer *buffers = NULL;
    unsigned char(*digests)[16] = NULL;
    Py_ssize_t count, held = 0;
    if (!given)
        return NULL;
    count = PyTuple_GET_SIZE(given);
    if (count > MOST) {
        PyErr_SetString(PyExc_ValueError, "too many buffers");
        goto end;
    }
    buffers = PyMem_Calloc((size_t)count + 1, sizeof *buffers);
    digests = PyMem_Calloc((size_t)count + 1, sizeof *digests);
    if (!buffers || !digests) {
        PyErr_NoMemory();
        goto end;
    }
    for (; held < count; held++)
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(given, held), &buffers[held],
                               PyBUF_SIMPLE) < 0)
            goto end;
    Py_BEGIN_ALLOW_THREADS
    digest_all(buffers, count, digests);
    Py_END_ALLOW_THREADS
    result = PyList_New(count);
    for (Py_ssize_t i = 0; result && i < count; i++) {
        PyObject *text = hex_of(digests[i]);
        if (text)
            PyList_SET_ITEM(result, i, text);
        else
            Py_CLEAR(result);
    }
end:
    while (held > 0)
        PyBuffer_Release(&buffers[--held]);
    PyMem_Free(buffers);
    PyMem_Free(digests);
    Py_DECREF(given);
    return result;
}

static PyMethodDef module_methods[] = {
    {"digests", md5_digests, METH_O, "Return the MD5 of each of these buffers, in lower-case hex."},
    {NULL, NULL, 0, NULL}};

#endif /* HAVE_VECTORS */

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_md5",
    .m_doc = "MD5 of many buffers on one core.",
    .m_size = -1,
#ifdef HAVE_VECTORS
    .m_methods = module_methods,
#endif
};

PyMODINIT_FUNC
PyInit__md5(void)
{
#ifdef HAVE_VECTORS
    return PyModule_Create(&module_definition);
#else
    (void)module_definition;
    PyErr_SetString(PyExc_ImportError, "this compiler or processor has no such vectors");
    return NULL;
#endif
}
