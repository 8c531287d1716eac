/* MD5 (RFC 1321) of many buffers or streams at once: the names that DVC gives to objects, not a
 * defence.
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

typedef struct {
    PyObject_HEAD
    uint32_t state[4];
    uint64_t length;            /* bytes taken in */
    unsigned char part[BLOCK];  /* the length % BLOCK bytes that fill no block yet */
    int busy;                   /* in use by a thread that let go of the lock; kept under it */
} Md5;

typedef struct {
    Md5 *one;
    Py_buffer buffer;
    const unsigned char *data; /* what is left of it */
    size_t left;
} Stream;

static PyTypeObject *md5_type;

/* Take `count` blocks of each stream that has as many, the others as they are. */
static void
go_on(Stream *streams, int n, size_t count, const unsigned char *any)
{
    Vector state[4];
    const unsigned char *data[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        int taken = lane < n && streams[lane].left / BLOCK >= count;
        data[lane] = taken ? streams[lane].data : any;
        for (int i = 0; i < 4; i++)
            state[i][lane] = taken ? streams[lane].one->state[i] : 0;
    }
    blocks(state, data, count);
    for (int lane = 0; lane < n; lane++) {
        Stream *stream = &streams[lane];
        if (stream->left / BLOCK < count)
            continue;
        for (int i = 0; i < 4; i++)
            stream->one->state[i] = state[i][lane];
        stream->data += count * BLOCK;
        stream->left -= count * BLOCK;
        stream->one->length += count * BLOCK;
    }
}

/* Take bytes until no part of a block is left over from before, or none are left. */
static void
fill(Stream *stream)
{
    Md5 *one = stream->one;
    size_t have = one->length % BLOCK, take = BLOCK - have;
    if (!have || !stream->left)
        return;
    if (take > stream->left)
        take = stream->left;
    memcpy(one->part + have, stream->data, take);
    stream->data += take;
    stream->left -= take;
    one->length += take;
    if (have + take == BLOCK) {
        Stream alone = {.one = one, .data = one->part, .left = BLOCK};
        one->length -= BLOCK;
        go_on(&alone, 1, 1, one->part);
    }
}

static void
take_all(Stream *streams, int n)
{
    for (int i = 0; i < n; i++)
        fill(&streams[i]);
    for (;;) {
        const unsigned char *any = NULL;
        size_t together = 0;
        for (int i = 0; i < n; i++) {
            size_t whole = streams[i].left / BLOCK;
            if (whole && (!any || whole < together)) {
                together = whole;
                any = streams[i].data;
            }
        }
        if (!any)
            break;
        go_on(streams, n, together, any);
    }
    for (int i = 0; i < n; i++) {
        Stream *stream = &streams[i];
        if (!stream->left)
            continue;
        memcpy(stream->one->part, stream->data, stream->left);
        stream->one->length += stream->left;
    }
}

/* Take the digests, none in use and none twice, and the buffers; return how many are held. */
static int
hold_all(PyObject *digests, PyObject *buffers, Stream *streams)
{
    Py_ssize_t count = PyTuple_GET_SIZE(digests);
    int held = 0;
    if (count > LANES || count != PyTuple_GET_SIZE(buffers)) {
        PyErr_Format(PyExc_ValueError, "at most %d digests, and as many buffers", LANES);
        return 0;
    }
    for (; held < count; held++) {
        Stream *stream = &streams[held];
        PyObject *one = PyTuple_GET_ITEM(digests, held);
        if (!Py_IS_TYPE(one, md5_type)) {
            PyErr_SetString(PyExc_TypeError, "not one of these digests");
            break;
        }
        stream->one = (Md5 *)one;
        if (stream->one->busy) {
            PyErr_SetString(PyExc_RuntimeError, "a digest can take in one thing at a time");
            break;
        }
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(buffers, held), &stream->buffer, PyBUF_SIMPLE) < 0)
            break;
        stream->data = stream->buffer.buf;
        stream->left = (size_t)stream->buffer.len;
        stream->one->busy = 1;
    }
    return held;
}

static PyObject *
md5_together(PyObject *module, PyObject *args)
{
    PyObject *digests, *buffers, *result = NULL;
    Stream streams[LANES];
    int held;
    if (!PyArg_ParseTuple(args, "O!O!:together", &PyTuple_Type, &digests, &PyTuple_Type, &buffers))
        return NULL;
    held = hold_all(digests, buffers, streams);
    if (!PyErr_Occurred()) {
        Py_BEGIN_ALLOW_THREADS
        take_all(streams, held);
        Py_END_ALLOW_THREADS
        result = Py_NewRef(Py_None);
    }
    while (held > 0) {
        streams[--held].one->busy = 0;
        PyBuffer_Release(&streams[held].buffer);
    }
    return result;
}

static PyObject *
md5_hexdigest(Md5 *self, PyObject *none)
{
    unsigned char digest[16];
    Vector state[4];
    Lane lane = {.data = self->part, .left = self->length % BLOCK, .size = self->length};
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "a digest can take in one thing at a time");
        return NULL;
    }
    memset(state, 0, sizeof state);
    for (int i = 0; i < 4; i++)
        state[i][0] = self->state[i];
    finish(state, 0, &lane, digest);
    return hex_of(digest);
}

static PyObject *
md5_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    Md5 *self;
    if (PyTuple_Size(args) || (names && PyDict_Size(names))) {
        PyErr_SetString(PyExc_TypeError, "md5() takes no arguments");
        return NULL;
    }
    self = (Md5 *)PyType_GenericAlloc(type, 0);
    if (self)
        memcpy(self->state, FIRST, sizeof FIRST);
    return (PyObject *)self;
}

static PyMethodDef md5_methods[] = {
    {"hexdigest", (PyCFunction)md5_hexdigest, METH_NOARGS,
     "Return the digest of all bytes so far, in lower-case hex."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot md5_slots[] = {
    {Py_tp_doc, "An MD5 in the making."},
    {Py_tp_new, md5_new},
    {Py_tp_methods, md5_methods},
    {0, NULL}};

static PyType_Spec md5_spec = {
    "registry.tensorstore._md5.md5", sizeof(Md5), 0, Py_TPFLAGS_DEFAULT, md5_slots};

static PyMethodDef module_methods[] = {
    {"digests", md5_digests, METH_O, "Return the MD5 of each of these buffers, in lower-case hex."},
    {"together", md5_together, METH_VARARGS,
     "Give each digest of a tuple, at most eight, the bytes of its buffer of another tuple."},
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
    PyObject *module = NULL;
    md5_type = (PyTypeObject *)PyType_FromSpec(&md5_spec);
    module = md5_type ? PyModule_Create(&module_definition) : NULL;
    if (module && PyModule_AddObjectRef(module, "md5", (PyObject *)md5_type) < 0)
        Py_CLEAR(module);
    return module;
#else
    (void)module_definition;
    PyErr_SetString(PyExc_ImportError, "this compiler or processor has no such vectors");
    return NULL;
#endif
}
