/* words.cc - the most frequent words of standard input: C++ without exceptions */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

/* A list of T that grows by doubling: templates, constructors and destructors as anywhere. */
template <typename T> class List {
public:
    List() = default;
    List(const List &) = delete;
    List &operator=(const List &) = delete;
    ~List() { delete[] items_; }

    void add(const T &item)
    {
        if (count_ == room_) {
            grow();
        }
        items_[count_++] = item;
    }
    T *begin() { return items_; }
    T *end() { return items_ + count_; }
    size_t count() const { return count_; }

private:
    void grow()
    {
        room_ = room_ != 0 ? 2 * room_ : 16;
        T *larger = new T[room_];
        for (size_t i = 0; i < count_; i++) {
            larger[i] = items_[i];
        }
        delete[] items_;
        items_ = larger;
    }

    T *items_ = nullptr;
    size_t count_ = 0;
    size_t room_ = 0;
};

struct Word {
    char text[32];
    unsigned times;
};

class Counter {
public:
    void count(const char *text)
    {
        List<Word> &bucket = buckets_[hash(text) % BUCKETS];
        for (Word &word : bucket) {
            if (strcmp(word.text, text) == 0) {
                word.times++;
                return;
            }
        }
        Word word = {};
        snprintf(word.text, sizeof word.text, "%s", text);
        word.times = 1;
        bucket.add(word);
    }

    /* Prints the words that occur most often, ties in alphabetical order. */
    void print(size_t most)
    {
        List<Word> all;
        for (List<Word> &bucket : buckets_) {
            for (const Word &word : bucket) {
                all.add(word);
            }
        }
        qsort(all.begin(), all.count(), sizeof(Word), compare);
        for (const Word &word : all) {
            if (most-- == 0) {
                break;
            }
            printf("%6u %s\n", word.times, word.text);
        }
    }

private:
    static constexpr size_t BUCKETS = 1021;

    static unsigned hash(const char *text)
    {
        unsigned value = 2166136261u; /* FNV-1a */
        while (*text != '\0') {
            value = (value ^ static_cast<unsigned char>(*text++)) * 16777619u;
        }
        return value;
    }

    static int compare(const void *left, const void *right)
    {
        const Word *a = static_cast<const Word *>(left);
        const Word *b = static_cast<const Word *>(right);
        return a->times != b->times ? (a->times < b->times ? 1 : -1) : strcmp(a->text, b->text);
    }

    List<Word> buckets_[BUCKETS];
};

Counter counter; /* constructed before main */

} // namespace

int main()
{
    char text[sizeof(Word::text)];
    size_t len = 0;
    for (;;) {
        int c = getchar();
        if (c != EOF && isalpha(c)) {
            if (len < sizeof text - 1) {
                text[len++] = static_cast<char>(tolower(c));
            }
            continue;
        }
        if (len != 0) {
            text[len] = '\0';
            counter.count(text);
            len = 0;
        }
        if (c == EOF) {
            break;
        }
    }
    counter.print(10);
    return 0;
}
